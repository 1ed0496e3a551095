package caddymodule

import (
	"net/http"
	"strings"
	"testing"
)

func TestTheFormIsTheOneThatAcceptPrefers(t *testing.T) {
	for _, c := range []struct {
		accept []string
		want   form
	}{
		{nil, asText},
		{[]string{"*/*"}, asText}, // curl
		{[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, asHTML},
		{[]string{"application/json"}, asJSON},
		{[]string{"application/problem+json"}, asJSON},
		{[]string{"application/vnd.api+json; q=0.2"}, asJSON},
		{[]string{"application/json, text/html"}, asJSON}, // by order where the quality is equal
		{[]string{"text/html;q=0.5, application/json;q=0.9"}, asJSON},
		{[]string{"application/json;q=0.1, text/html;q=0.2"}, asHTML},
		{[]string{"text/plain, text/html;q=0.9"}, asText},
		{[]string{"text/html;q=0"}, asText},
		{[]string{"text/html;q=2", "application/json;q=0.001"}, asJSON}, // two is no quality
		{[]string{"text/html;q=-1"}, asText},
		{[]string{"text/html;q=x"}, asText},
		{[]string{"TEXT/HTML"}, asHTML},
		{[]string{"*/*", "application/json"}, asJSON}, // of two header lines
		{[]string{"text/*"}, asText},
		{[]string{",,;;,", "image/png", "application/jsonp"}, asText},
	} {
		if got := formOf(http.Header{"Accept": c.accept}); got != c.want {
			t.Errorf("%q is answered in form %d, want %d", c.accept, got, c.want)
		}
	}
}

func TestAQualityIsReadInThousandths(t *testing.T) {
	for text, want := range map[string]int{
		"": 1000, "1": 1000, "1.0": 1000, "0": 0, "0.5": 500, "0.05": 50, "0.001": 1, "0.0009": 0,
		"1.001": 0, "-0.5": 0, "0.-5": 0, "nan": 0, "0x1": 0, "1e3": 0, "99999999999999999999": 0,
	} {
		if got := thousandths(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func TestAFormIsKnownByItsMediaType(t *testing.T) {
	for media, want := range map[string]bool{
		"application/x-www-form-urlencoded": true, "application/x-www-form-urlencoded; charset=utf-8": true,
		"": false, "application/json": false, "multipart/form-data": false,
	} {
		if got := postedForm(http.Header{"Content-Type": {media}}); got != want {
			t.Errorf("%q: %t", media, got)
		}
	}
}

// FuzzFormOfItem: the short way past the parser leads where the parser does.
func FuzzFormOfItem(f *testing.F) {
	for _, item := range []string{
		"", "*/*", "text/html", "text/html;q=0.9", "text/html; q=0.9", "text/html;q=", "text/html;", "text/html ;q=1", "text/html;q=0.5;level=1",
		"application/problem+json", "+json", "/+json", "a/+json", "a//+json", "a/b/c+json", "TEXT/HTML", "text/html;q=1.0.0", "text/html;Q=0.1", "text/html;q=x",
	} {
		f.Add(item)
	}
	f.Fuzz(func(t *testing.T, item string) {
		got, quality := formOfItem(item)
		want, wanted := formOfParsed(item)
		if quality != wanted || quality > 0 && got != want {
			t.Errorf("%q names form %d at %d, want %d at %d", item, got, quality, want, wanted)
		}
	})
}

func BenchmarkFormOf(b *testing.B) {
	h := http.Header{"Accept": {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"}}
	b.ReportAllocs()
	for b.Loop() {
		if formOf(h) != asHTML {
			b.Fatal("a browser does not get HTML")
		}
	}
}

// FuzzFormOf holds what a page's answer rests on: HTML and JSON are sent only
// to who has named them, and naming one of them alone gets it.
func FuzzFormOf(f *testing.F) {
	for _, accept := range []string{"*/*", "text/html", "text/html;q=0.5,application/json", `text/html;q="0.1"`, "application/json;q=1.0000,,"} {
		f.Add(accept)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got, lower := formOf(http.Header{"Accept": {accept}}), strings.ToLower(accept)
		switch {
		case got == asHTML && !strings.Contains(lower, "html"):
			t.Fatalf("%q is answered in HTML", accept)
		case got == asJSON && !strings.Contains(lower, "json"):
			t.Fatalf("%q is answered in JSON", accept)
		}
		if again := formOf(http.Header{"Accept": {"application/json;q=1, " + accept}}); again != asJSON {
			t.Fatalf("%q after JSON at the highest quality is answered in form %d", accept, again)
		}
	})
}
