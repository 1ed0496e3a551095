package kioskapi

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

func kinds() (all []string) {
	for _, k := range card.Kinds {
		all = append(all, string(k))
	}
	return all
}

// hexOf is a number of bytes in hex.
func hexOf(least, most int) object {
	return object{"type": "string", "pattern": fmt.Sprintf("^([0-9a-fA-F]{2}){%d,%d}$", least, most)}
}

// maker makes schemas of a package's types: of each struct that has names for JSON, and of
// each text that has constants.
type maker struct {
	schemas object
	values  map[string][]string // of the types of constants
	notes   map[string][]string // and what they mean
	err     error
}

func schemasOf(dir string) (object, error) {
	m := &maker{make(object), make(map[string][]string), make(map[string][]string), nil}
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var types []*ast.GenDecl
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			switch g, is := d.(*ast.GenDecl); {
			case is && g.Tok == token.CONST:
				m.constants(g)
			case is && g.Tok == token.TYPE:
				types = append(types, g)
			}
		}
	}
	for _, g := range types {
		for _, s := range g.Specs {
			m.declare(s.(*ast.TypeSpec), g.Doc.Text())
		}
	}
	return m.schemas, m.err
}

// constants takes in what a type can be.
func (m *maker) constants(g *ast.GenDecl) {
	for _, s := range g.Specs {
		v := s.(*ast.ValueSpec)
		kind, named := v.Type.(*ast.Ident)
		if !named || len(v.Values) != 1 {
			continue
		}
		if literal, is := v.Values[0].(*ast.BasicLit); is && literal.Kind == token.STRING {
			value, _ := strconv.Unquote(literal.Value) // it compiles
			m.values[kind.Name] = append(m.values[kind.Name], value)
			if note := strings.TrimSpace(v.Comment.Text()); note != "" {
				m.notes[kind.Name] = append(m.notes[kind.Name], value+": "+note)
			}
		}
	}
}

func (m *maker) declare(spec *ast.TypeSpec, doc string) {
	name := spec.Name.Name
	switch t := spec.Type.(type) {
	case *ast.StructType:
		if fields := m.fields(name, t); spec.Name.IsExported() && fields != nil {
			fields["description"] = plain(doc)
			m.schemas[name] = fields
		}
	case *ast.Ident:
		if values := m.values[name]; t.Name == "string" && len(values) > 0 {
			text := plain(doc)
			if notes := m.notes[name]; len(notes) > 0 {
				text += " " + strings.Join(notes, "; ") + "."
			}
			m.schemas[name] = object{"type": "string", "enum": values, "description": text}
		}
	}
}

// plain is a comment as one line, without what is for readers of Go.
func plain(doc string) string {
	doc, _, _ = strings.Cut(doc, "\n\n")
	return brackets.ReplaceAllString(strings.Join(strings.Fields(doc), " "), "$1")
}

var brackets = regexp.MustCompile(`\[([a-zA-Z.]+)\]`)

// fields is the schema of a struct; nil where it has no names for JSON.
func (m *maker) fields(of string, t *ast.StructType) object {
	properties, required := make(object), []string{}
	for _, f := range t.Fields.List {
		if f.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(f.Tag.Value) // it compiles
		name, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		schema := m.of(f.Type)
		if name == "" || schema == nil {
			m.err = fmt.Errorf("the field %s of wire.%s is of a type that no schema is made of: see schema_test.go", f.Names[0], of)
			continue
		}
		if note := strings.TrimSpace(f.Comment.Text()); note != "" {
			schema["description"] = note
		}
		properties[name] = schema
		if options == "" {
			required = append(required, name)
		}
	}
	if len(properties) == 0 {
		return nil
	}
	s := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

var basic = map[string]object{
	"string": {"type": "string"}, "bool": {"type": "boolean"},
	"int": {"type": "integer"}, "int64": {"type": "integer", "format": "int64"},
	"uint32": {"type": "integer", "minimum": 0}, "uint64": {"type": "integer", "minimum": 0},
}

// of is the schema of a field's type; nil of one that is not known.
func (m *maker) of(t ast.Expr) object {
	switch t := t.(type) {
	case *ast.StarExpr:
		return m.of(t.X)
	case *ast.SelectorExpr:
		return object{"$ref": "#/components/schemas/" + t.Sel.Name}
	case *ast.ArrayType:
		if element, is := t.Elt.(*ast.Ident); is && element.Name == "byte" {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		if items := m.of(t.Elt); items != nil {
			return object{"type": "array", "items": items}
		}
	case *ast.Ident:
		if schema, is := basic[t.Name]; is {
			copied := make(object)
			for k, v := range schema {
				copied[k] = v
			}
			return copied
		}
		return object{"$ref": "#/components/schemas/" + t.Name}
	}
	return nil
}
