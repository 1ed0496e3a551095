package press

import (
	"encoding/json"
	"html/template"
	"strings"
	"testing"
)

// hostile is values as an attacker would choose them, for each place.
var hostile = []string{
	"", "plain", "The Ferryman’s Ledger", `<script>alert('1')</script>"><b onclick="x">`, "a+b & c&amp;d",
	"\x00\x01\x1f\x7f", "\u202e\u2066שלום\u2028\u2029\ufeff", "\xff\xfe\xc0\x80 and \xe2\x82", "{{.}}", "100%", "%2", "%zz%2F%2f%",
	"/articles/1?from=front&utm_source=a+b", "/a'b(c)\"d\\e`f{g}|h^i j", "//evil.example", "\ufdd0\uffff\U0010ffff\ufffd",
	strings.Repeat("long<", 2000),
}

// places is where html/template writes a value, each between two bars.
var places = template.Must(template.New("").Parse(
	`<title>|{{.}}|</title><p>|{{.}}|</p><input value="|{{.}}|"><a href="/|{{.}}|">`))

// The escapers against the packages that they stand in for.
func checkEscapers(t *testing.T, value string) {
	t.Helper()
	var page strings.Builder
	if err := places.Execute(&page, value); err != nil {
		t.Fatal(err)
	}
	// The bars of the page's own: a value may hold some, but URL writes them as %7c.
	html := string(HTML(nil, value))
	want := "<title>|" + html + "|</title><p>|" + html + "|</p><input value=\"|" + html + "|\"><a href=\"/|" + string(URL(nil, value)) + "|\">"
	if page.String() != want {
		t.Errorf("%q: html/template writes\n%q\nHTML and URL\n%q", value, page.String(), want)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if got := `"` + string(JSON(nil, value)) + `"`; got != string(text) {
		t.Errorf("%q: encoding/json writes %s, JSON %s", value, text, got)
	}
	for name, escape := range map[string]Escape{"Plain": Plain, "HTML": HTML, "URL": URL, "JSON": JSON} {
		if got := string(escape([]byte("before "), value)); got != "before "+string(escape(nil, value)) {
			t.Errorf("%q: %s does not leave what was there", value, name)
		}
	}
}

func TestAHostileValueIsEscapedAsItsSourceWould(t *testing.T) {
	for _, value := range hostile {
		checkEscapers(t, value)
	}
}

func FuzzEscapers(f *testing.F) {
	for _, value := range hostile {
		f.Add(value)
	}
	f.Fuzz(checkEscapers)
}

func BenchmarkEscape(b *testing.B) {
	const value = "/articles/1?from=front&utm_source=newsletter"
	buffer := make([]byte, 0, 256)
	for _, c := range []struct {
		place  string
		escape Escape
	}{{"html", HTML}, {"url", URL}, {"json", JSON}} {
		b.Run("place="+c.place, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.escape(buffer, value)
			}
		})
	}
}
