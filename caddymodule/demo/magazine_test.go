package demo

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"
)

// leastWords is what a piece must have to be worth a coin.
const leastWords = 600

var pieces = []string{"articles/1.html", "articles/2.html", "articles/3.html", "research/1.html", "research/2.html"}

// action is a template action, which Caddy replaces.
var action = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// elements are the elements of a page, without its template actions.
func elements(t *testing.T, name string) []*html.Node {
	t.Helper()
	text, err := fs.ReadFile(Magazine{}, name)
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(action.ReplaceAllString(string(text), "")))
	if err != nil {
		t.Fatal(err)
	}
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			found = append(found, n)
		}
	}
	return found
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func first(t *testing.T, nodes []*html.Node, tag string) *html.Node {
	t.Helper()
	for _, n := range nodes {
		if n.Data == tag {
			return n
		}
	}
	t.Fatalf("no <%s>", tag)
	return nil
}

// pages are all HTML files of the magazine.
func pages(t *testing.T) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(Magazine{}, ".", func(name string, d fs.DirEntry, err error) error {
		if path.Ext(name) == ".html" {
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) != len(pieces)+1 {
		t.Fatalf("pages %v, error %v", names, err)
	}
	return names
}

func TestTheMagazineIsAProperFileSystem(t *testing.T) {
	if err := fstest.TestFS(Magazine{}, append(pieces, "index.html", "style.css", "images/map.svg")...); err != nil {
		t.Fatal(err)
	}
}

func TestEveryLinkLeadsToAPageOfTheMagazineOrToTheWallet(t *testing.T) {
	for _, name := range pages(t) {
		for _, n := range elements(t, name) {
			for _, link := range []string{attribute(n, "href"), attribute(n, "src")} {
				if link != "" && !resolves(link) {
					t.Errorf("%s links to %q", name, link)
				}
			}
		}
	}
}

// resolves looks for a link the way the Caddyfile does: as it is, then with
// .html, then as a directory.
func resolves(link string) bool {
	local, ok := strings.CutPrefix(link, "/")
	if !ok || strings.HasPrefix(local, "/") {
		return false
	}
	if link == "/.paywall/wallet" {
		return true
	}
	for _, name := range []string{local, local + ".html", local + "index.html"} {
		if info, err := fs.Stat(Magazine{}, name); err == nil && !info.IsDir() {
			return true
		}
	}
	return false
}

func TestNoPageRunsCodeOrStylesItself(t *testing.T) {
	for _, name := range pages(t) {
		for _, n := range elements(t, name) {
			switch n.Data {
			case "script", "style", "iframe", "object", "embed", "form", "base":
				t.Errorf("%s has a <%s>", name, n.Data)
			case "img":
				if attribute(n, "alt") == "" || attribute(n, "width") == "" || attribute(n, "height") == "" {
					t.Errorf("%s has an image without words or without its size", name)
				}
			}
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s has a %s on <%s>", name, a.Key, n.Data)
				}
			}
		}
	}
	for _, name := range []string{"style.css", "images/map.svg"} {
		text, err := fs.ReadFile(Magazine{}, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, outside := range []string{"@import", "<script", "href", "src=", "url(h", "url(/"} {
			if strings.Contains(string(text), outside) {
				t.Errorf("%s has %q", name, outside)
			}
		}
	}
}

func TestEveryPieceIsWorthReading(t *testing.T) {
	for _, name := range pieces {
		if n := len(strings.Fields(words(first(t, elements(t, name), "article")))); n < leastWords {
			t.Errorf("%s has %d words, want %d", name, n, leastWords)
		}
	}
}

func TestEveryPageHasLanguageHeadingAndDescription(t *testing.T) {
	for _, name := range pages(t) {
		nodes := elements(t, name)
		count := map[string]int{}
		for _, n := range nodes {
			count[n.Data]++
			if attribute(n, "name") == "description" && len(attribute(n, "content")) > 40 {
				count["description"]++
			}
		}
		if count["h1"] != 1 || count["main"] != 1 || count["title"] != 1 || count["description"] != 1 {
			t.Errorf("%s: %d h1, %d main, %d title, %d description, want one each", name,
				count["h1"], count["main"], count["title"], count["description"])
		}
		if got := attribute(first(t, nodes, "html"), "lang"); got != "en" {
			t.Errorf("%s: lang is %q", name, got)
		}
	}
}

// TestTheFrontPageNamesEveryPieceAsItNamesItself keeps the list in step with
// the pieces, teasers included.
func TestTheFrontPageNamesEveryPieceAsItNamesItself(t *testing.T) {
	front := elements(t, "index.html")
	listed := map[string]string{}
	for _, n := range front {
		if n.Data == "li" {
			listed["/"+attribute(first(t, below(n), "a"), "href")[1:]] = words(n)
		}
	}
	for _, name := range pieces {
		nodes := elements(t, name)
		want := words(first(t, nodes, "h1")) + " " + words(lead(t, nodes))
		if got := listed["/"+strings.TrimSuffix(name, ".html")]; got != want {
			t.Errorf("the front page says of %s\n%q, the piece\n%q", name, got, want)
		}
	}
}

func below(n *html.Node) []*html.Node {
	var found []*html.Node
	for d := range n.Descendants() {
		found = append(found, d)
	}
	return found
}

func lead(t *testing.T, nodes []*html.Node) *html.Node {
	t.Helper()
	for _, n := range nodes {
		if attribute(n, "class") == "lead" {
			return n
		}
	}
	t.Fatal("no lead")
	return nil
}

func TestTheLettersSayThatTheyAreFiction(t *testing.T) {
	for _, name := range []string{"research/1.html", "research/2.html"} {
		text := words(first(t, elements(t, name), "article"))
		if !strings.Contains(text, "every company, person and figure in it is invented, and nothing in it is advice") {
			t.Errorf("%s could be taken for advice", name)
		}
	}
}

// TestTheTablesAddUp: even an invented company keeps its books in order.
func TestTheTablesAddUp(t *testing.T) {
	for name, income := range map[string]int{"research/1.html": 2, "research/2.html": 1} {
		checked := 0
		for _, n := range elements(t, name) {
			if n.Data != "tr" {
				continue
			}
			var row []int
			for _, cell := range below(n) {
				if cell.Data == "td" {
					var figure int
					if _, err := fmt.Sscan(strings.ReplaceAll(words(cell), ",", ""), &figure); err != nil {
						t.Fatal(err)
					}
					row = append(row, figure)
				}
			}
			if row == nil {
				continue
			}
			left := row[income-1]
			for _, cost := range row[income : len(row)-1] {
				left -= cost
			}
			if left != row[len(row)-1] {
				t.Errorf("%s: %v leaves %d", name, row, left)
			}
			checked++
		}
		if checked != 3 {
			t.Errorf("%s: %d rows, want 3", name, checked)
		}
	}
}
