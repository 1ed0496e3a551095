package page

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// void are the elements that have no end tag.
var void = map[atom.Atom]bool{atom.Meta: true, atom.Input: true, atom.Br: true, atom.Img: true}

// wellFormed walks the tags of a page itself: a parser would repair mistakes.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	var open []string
	tags := html.NewTokenizer(strings.NewReader(text))
	for kind := tags.Next(); kind != html.ErrorToken; kind = tags.Next() {
		token := tags.Token()
		switch {
		case kind == html.StartTagToken && !void[token.DataAtom]:
			open = append(open, token.Data)
		case kind == html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("</%s> closes %v", token.Data, open)
			}
			open = open[:len(open)-1]
		case kind == html.SelfClosingTagToken:
			t.Fatalf("<%s/> is XML, not HTML", token.Data)
		}
	}
	if len(open) > 0 {
		t.Fatalf("never closed: %v", open)
	}
}

// nodes returns the elements of a page in document order.
func nodes(t *testing.T, text string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var elements []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			elements = append(elements, n)
		}
	}
	return elements
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// content is the text inside an element, with single spaces.
func content(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r == ' ' || r == '\n' }), " ")
}

// all returns the elements of a page with a tag.
func all(t *testing.T, text, tag string) []*html.Node {
	t.Helper()
	var found []*html.Node
	for _, n := range nodes(t, text) {
		if n.Data == tag {
			found = append(found, n)
		}
	}
	return found
}

// one returns the only element of a page with a tag.
func one(t *testing.T, text, tag string) *html.Node {
	t.Helper()
	found := all(t, text, tag)
	if len(found) != 1 {
		t.Fatalf("%d <%s> on the page, want one", len(found), tag)
	}
	return found[0]
}

func TestEveryPageIsWellFormedInEveryLanguage(t *testing.T) {
	for _, l := range locales {
		for name, p := range samples(t, l.tag) {
			t.Run(l.tag+"/"+name, func(t *testing.T) {
				text := rendered(t, p)
				wellFormed(t, text)
				if !strings.HasPrefix(text, "<!doctype html>") {
					t.Error("no doctype: browsers would guess at the layout")
				}
				if !strings.HasSuffix(text, "</html>\n") {
					t.Error("the page does not end with its end tag")
				}
			})
		}
	}
}

func TestEveryPageHasOneMainOneHeadingAndItsLanguage(t *testing.T) {
	for _, l := range locales {
		for name, p := range samples(t, l.tag) {
			t.Run(l.tag+"/"+name, func(t *testing.T) {
				text := rendered(t, p)
				one(t, text, "main")
				if content(one(t, text, "h1")) == "" {
					t.Error("the h1 is empty")
				}
				if content(one(t, text, "title")) == "" {
					t.Error("the title is empty")
				}
				if got := attribute(one(t, text, "html"), "lang"); got != l.tag {
					t.Errorf("lang is %q, want %q", got, l.tag)
				}
			})
		}
	}
}

func TestEveryFieldHasALabelAndEveryReferenceATarget(t *testing.T) {
	for _, l := range locales {
		for name, p := range samples(t, l.tag) {
			t.Run(l.tag+"/"+name, func(t *testing.T) { checkReferences(t, nodes(t, rendered(t, p))) })
		}
	}
}

func checkReferences(t *testing.T, elements []*html.Node) {
	t.Helper()
	ids, labelled := map[string]bool{}, map[string]bool{}
	for _, n := range elements {
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("id %q is there twice", id)
			}
			ids[id] = true
		}
		if n.Data == "label" {
			labelled[attribute(n, "for")] = true
		}
	}
	for _, n := range elements {
		for _, name := range []string{"aria-describedby", "aria-labelledby", "for"} {
			for _, id := range strings.Fields(attribute(n, name)) {
				if !ids[id] {
					t.Errorf("<%s %s=%q> points nowhere", n.Data, name, id)
				}
			}
		}
		if fragment, ok := strings.CutPrefix(attribute(n, "href"), "#"); ok && !ids[fragment] {
			t.Errorf("link to #%s points nowhere", fragment)
		}
		if (n.Data == "input" && attribute(n, "type") != "hidden" || n.Data == "select") && !labelled[attribute(n, "id")] {
			t.Errorf("field %q has no label", attribute(n, "name"))
		}
	}
}

// The pages that a kiosk, or a seller, has open have a script, which their policies name.
func TestNoPageRunsCodeOrReachesOut(t *testing.T) {
	forbidden := map[string]bool{"script": true, "iframe": true, "object": true, "embed": true, "link": true, "base": true}
	for _, l := range locales {
		for name, p := range samples(t, l.tag) {
			t.Run(l.tag+"/"+name, func(t *testing.T) {
				for _, n := range nodes(t, rendered(t, p)) {
					allowed := n.Data == "script" && strings.Contains(policyOf(p), "script-src "+source(n.FirstChild.Data)) ||
						n.Data == "iframe" && strings.Contains(policyOf(p), "frame-src 'self'")
					if forbidden[n.Data] && !allowed {
						t.Errorf("<%s> on the page", n.Data)
					}
					checkAttributes(t, n)
				}
			})
		}
	}
}

func checkAttributes(t *testing.T, n *html.Node) {
	t.Helper()
	for _, a := range n.Attr {
		switch {
		case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
			t.Errorf("<%s %s>: the policy forbids it, and so it would do nothing", n.Data, a.Key)
		case a.Key == "href" || a.Key == "action" || a.Key == "src" || a.Key == "formaction":
			local := strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//") || a.Val == sampleKiosk || a.Val == samplePicture
			if !local && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("<%s %s=%q> leaves the site", n.Data, a.Key, a.Val)
			}
		}
	}
}

func TestEveryFormIsAPostToAKnownPathInTheSameLanguage(t *testing.T) {
	known := map[string]bool{
		PayPath: true, RedeemPath: true, RecoverPath: true, NewRecoveryPath: true,
		AddCardPath: true, ChangeCardPath: true, RemoveCardPath: true, EndSessionPath: true,
		WantTapPath: true, PayTapPath: true, BlockTapPath: true,
		EnrolTillPath: true, TapTillPath: true, DoneTillPath: true, LeaveTillPath: true,
	}
	for _, l := range locales {
		for name, p := range samples(t, l.tag) {
			t.Run(l.tag+"/"+name, func(t *testing.T) {
				for _, form := range all(t, rendered(t, p), "form") {
					path, query, _ := strings.Cut(attribute(form, "action"), "?")
					if attribute(form, "method") != "post" || !known[path] || query != "lang="+l.tag {
						t.Errorf("form %s %q", attribute(form, "method"), attribute(form, "action"))
					}
				}
			})
		}
	}
}
