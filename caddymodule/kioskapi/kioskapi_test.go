package kioskapi

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// writeEnv has the document written, for make openapi.
const writeEnv = "PAYWALL_OPENAPI"

func TestTheDocumentIsWhatPackageWireSays(t *testing.T) {
	want, err := document()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(writeEnv) != "" {
		if err := os.WriteFile("openapi.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if bytes.Equal(Document, want) {
		return
	}
	got, wanted := strings.Split(string(Document), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(got), len(wanted)) {
		if got[i] != wanted[i] {
			t.Fatalf("line %d is\n%s\nand has to be\n%s\nPackage wire has changed: run make openapi, and list a new call in calls_test.go", i+1, got[i], wanted[i])
		}
	}
	t.Fatal("package wire has changed: run make openapi")
}

// parsed is the document as a client reads it.
func parsed(t *testing.T) (doc object) {
	t.Helper()
	if err := json.Unmarshal(Document, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// at is what stands at a reference of the document.
func at(doc any, reference string) any {
	for _, name := range strings.Split(strings.TrimPrefix(reference, "#/"), "/") {
		inner, is := doc.(object)
		if !is {
			return nil
		}
		doc = inner[strings.ReplaceAll(name, "~1", "/")]
	}
	return doc
}

// walk calls do for each object of the document.
func walk(value any, do func(object)) {
	switch v := value.(type) {
	case object:
		do(v)
		for _, inner := range v {
			walk(inner, do)
		}
	case []any:
		for _, inner := range v {
			walk(inner, do)
		}
	}
}

func TestEveryReferenceLeadsSomewhereAndEverySchemaIsReached(t *testing.T) {
	doc := parsed(t)
	used := map[string]bool{"Record": true} // which is within a Signed, as it was signed
	walk(doc, func(o object) {
		reference, is := o["$ref"].(string)
		if !is {
			return
		}
		if at(doc, reference) == nil {
			t.Errorf("%s leads nowhere", reference)
		}
		used[reference[strings.LastIndex(reference, "/")+1:]] = true
	})
	for name := range at(doc, "#/components/schemas").(object) {
		if !used[name] {
			t.Errorf("%s is in no call: list the call in calls_test.go", name)
		}
	}
}

func TestEveryCallIsDescribed(t *testing.T) {
	doc := parsed(t)
	ids := make(map[string]bool)
	for path, item := range doc["paths"].(object) {
		operation, is := item.(object)["post"].(object)
		if !is || len(item.(object)) != 1 || !strings.HasPrefix(path, "/.paywall/") {
			t.Errorf("%s is no call", path)
			continue
		}
		for _, part := range []string{"operationId", "summary", "requestBody", "responses", "security"} {
			if operation[part] == nil {
				t.Errorf("%s has no %s", path, part)
			}
		}
		id, _ := operation["operationId"].(string)
		if ids[id] {
			t.Errorf("%s is the name of two calls", id)
		}
		ids[id] = true
		open := path == wire.EnrolPath || path == wire.BrowserPath
		if needs := len(operation["security"].([]any)) > 0; needs == open {
			t.Errorf("%s needs a token: %t", path, needs)
		}
	}
	if doc["openapi"] != "3.1.0" || at(doc, "#/components/securitySchemes/kiosk/scheme") != "bearer" {
		t.Error("the document does not say what it is")
	}
}

// The examples are valid by the schemas, and read as what they are.
func TestTheExamplesValidate(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Document))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("api.json", doc); err != nil {
		t.Fatal(err)
	}
	check := func(value any, valid bool) {
		t.Helper()
		name := reflect.TypeOf(value).Name()
		if name == "" {
			return
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := compiler.Compile("api.json#/components/schemas/" + name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance); (err == nil) != valid {
			t.Errorf("a %s is valid: %t, want %t: %v\n%s", name, err == nil, valid, err, text)
		}
	}
	for _, c := range calls {
		check(c.asks, true)
		check(c.answers, true)
	}
	check(wire.Verdict{ID: tapID, Outcome: "maybe", Product: coffee}, false)
	for _, reason := range wire.Reasons {
		check(wire.Verdict{ID: tapID, Outcome: wire.Refused, Reason: reason, Product: coffee}, true)
	}
	for _, one := range []wire.Card{plainCard, {SUN: true}, {Bank: true}} {
		check(one, true)
	}
	check(wire.Card{}, false) // a number of no bytes
}

// The maker of schemas reads source, and JSON is written by reflection: they agree.
func TestTheSchemasHaveTheFieldsThatJSONHas(t *testing.T) {
	schemas := at(parsed(t), "#/components/schemas").(object)
	reached := make(map[string]bool)
	var reach func(reflect.Type)
	reach = func(one reflect.Type) {
		for one.Kind() == reflect.Pointer || one.Kind() == reflect.Slice {
			one = one.Elem()
		}
		name := one.Name()
		if one.Kind() != reflect.Struct || name == "" || reached[name] || byHand[name] != nil {
			return
		}
		reached[name] = true
		schema, _ := schemas[name].(object)
		properties, _ := schema["properties"].(object)
		if len(properties) != one.NumField() {
			t.Errorf("a %s has %d fields, and its schema %d", name, one.NumField(), len(properties))
		}
		for i := range one.NumField() {
			field, _, _ := strings.Cut(one.Field(i).Tag.Get("json"), ",")
			if properties[field] == nil {
				t.Errorf("the schema of %s has no %q", name, field)
			}
			reach(one.Field(i).Type)
		}
	}
	for _, c := range calls {
		reach(reflect.TypeOf(c.asks))
		reach(reflect.TypeOf(c.answers))
	}
	if len(reached) < 15 {
		t.Errorf("only %d types were reached, so little was proved", len(reached))
	}
}
