// Package fill fills in the kiosk's pages: it reads the part of html/template's language
// that they need.
//
//	{{.Name}} {{.Name.Part}} {{.}}      a field of a struct or an entry of a map, escaped
//	{{$.Name}}                          the same of the whole view, also within a range
//	{{if .Name}} {{else if .Other}} {{else}} {{end}}
//	{{range .Names}} {{else}} {{end}}   of a slice; else where it is empty
//
// It promises that what is filled in is text between tags or within an attribute's double
// quotes, and never ends it. It calls no methods, which is why it is there: in a program
// that calls methods by names which the linker does not know, as html/template does, no
// method of any type can be left out, and this one would be two megabytes larger. It does
// not know scripts, styles and what addresses do: a page fills in none but its own.
package fill

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"reflect"
	"strings"
)

// Page is one that can be filled in, by several at once.
type Page struct {
	parts []part
}

// part is a text, a value, or a choice with its branches.
type part struct {
	text     string
	path     string // of the value; of a text none
	branches bool
	all      bool // of a range: once for each
	yes, no  []part
}

// Must reads a page that is part of the program. It panics where the page is wrong.
func Must(text string) *Page {
	p := parser{rest: text}
	parts, end, err := p.parts()
	if err == nil && end != "" {
		err = fmt.Errorf("{{%s}} ends nothing", end)
	}
	if err != nil {
		panic(fmt.Errorf("a page: %w", err))
	}
	return &Page{parts}
}

// parser reads a page from its beginning.
type parser struct {
	rest string
}

// parts reads up to the action that ends a branch, which it returns: else, else if or end;
// or up to the end of the page.
func (p *parser) parts() (all []part, end string, err error) {
	for {
		text, rest, found := strings.Cut(p.rest, "{{")
		if text != "" {
			all = append(all, part{text: text})
		}
		if !found {
			p.rest = ""
			return all, "", nil
		}
		var action string
		if action, p.rest, found = strings.Cut(rest, "}}"); !found {
			return nil, "", errors.New("{{ without }}")
		}
		word, path, _ := strings.Cut(action, " ")
		switch {
		case word == "end" || word == "else":
			return all, action, nil
		case word == "if" || word == "range":
			one, err := p.branches(word, path)
			if err != nil {
				return nil, "", err
			}
			all = append(all, one)
		case isPath(action):
			all = append(all, part{path: action})
		default:
			return nil, "", fmt.Errorf("{{%s}} is none of its actions", action)
		}
	}
}

// branches reads what follows an if or a range, with its end.
func (p *parser) branches(word, path string) (one part, err error) {
	one = part{path: path, branches: true, all: word == "range"}
	if !isPath(path) {
		return one, fmt.Errorf("{{%s %s}} is about no value", word, path)
	}
	var end string
	if one.yes, end, err = p.parts(); err != nil {
		return one, err
	}
	switch other, chained := strings.CutPrefix(end, "else if "); {
	case chained && !one.all:
		var next part
		next, err = p.branches("if", other)
		one.no = []part{next}
		return one, err
	case end == "else":
		if one.no, end, err = p.parts(); err != nil {
			return one, err
		}
	}
	if end != "end" {
		return one, fmt.Errorf("{{%s %s}} has no end, but {{%s}}", word, path, end)
	}
	return one, nil
}

func isPath(text string) bool {
	return (strings.HasPrefix(text, ".") || strings.HasPrefix(text, "$.")) && !strings.ContainsAny(text, ` "()|`)
}

// Fill fills the page in. An error is a mistake in the page: it names what the view does
// not have.
func (p *Page) Fill(view any) ([]byte, error) {
	f := filler{root: reflect.ValueOf(view)}
	f.fill(p.parts, f.root)
	return f.page.Bytes(), f.err
}

type filler struct {
	root reflect.Value
	page bytes.Buffer
	err  error // the first
}

func (f *filler) fill(parts []part, dot reflect.Value) {
	for i := range parts {
		one := &parts[i]
		if one.path == "" {
			f.page.WriteString(one.text)
			continue
		}
		value, err := f.value(one.path, dot)
		switch {
		case err != nil:
			f.err = errors.Join(f.err, err)
			return
		case !one.branches:
			f.page.WriteString(html.EscapeString(fmt.Sprint(value)))
		case isEmpty(value):
			f.fill(one.no, dot)
		case !one.all:
			f.fill(one.yes, dot)
		case value.Kind() == reflect.Slice:
			for n := range value.Len() {
				f.fill(one.yes, value.Index(n))
			}
		default:
			f.err = errors.Join(f.err, fmt.Errorf("%s is no slice", one.path))
		}
	}
}

func isEmpty(v reflect.Value) bool {
	return v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
}

// value is what a path leads to.
func (f *filler) value(path string, dot reflect.Value) (reflect.Value, error) {
	rest, whole := strings.CutPrefix(path, "$")
	if whole {
		dot = f.root
	}
	for _, name := range strings.Split(rest, ".")[1:] {
		if name == "" {
			continue // of a dot alone
		}
		if dot.Kind() == reflect.Pointer {
			dot = dot.Elem()
		}
		switch dot.Kind() {
		case reflect.Struct:
			dot = dot.FieldByName(name)
		case reflect.Map:
			dot = dot.MapIndex(reflect.ValueOf(name))
		default:
			dot = reflect.Value{}
		}
		if !dot.IsValid() {
			return dot, fmt.Errorf("%s: there is no %s", path, name)
		}
	}
	return dot, nil
}
