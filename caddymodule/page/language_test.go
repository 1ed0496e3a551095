package page

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func asking(query string, accept ...string) *http.Request {
	return &http.Request{URL: &url.URL{Path: "/", RawQuery: query}, Header: http.Header{"Accept-Language": accept}}
}

func TestALanguageIsChosenByQueryThenHeaderThenEnglish(t *testing.T) {
	for _, c := range []struct {
		query, accept, want string
	}{
		{"", "", "en"},
		{"", "fr", "fr"},
		{"", "FR", "fr"},
		{"", "fr-CA", "fr"},
		{"", "it-CH", "it"},
		{"", "de", "en"},
		{"", "de-AT, de;q=0.9", "en"},
		{"", "de, it;q=0.4", "it"},
		{"", "en-GB, fr;q=0.9", "en"},
		{"", "fr;q=0.3, it;q=0.8", "it"},
		{"", "fr;q=0, it;q=0.1", "it"},
		{"", "*", "en"},
		{"", "fr, *;q=0.1", "fr"},
		{"", "zh-Hant-TW", "en"},
		{"", "not a language", "en"},
		{"", "fr;q=high", "en"},
		{"", ";;;,,,", "en"},
		{"lang=it", "fr", "it"},
		{"lang=it-CH", "fr", "it"},
		{"x=1&lang=fr", "", "fr"},
		{"lang=de", "fr", "fr"}, // one we lack is no choice
		{"lang=", "fr", "fr"},
		{"lang=%00", "fr", "fr"},
		{"lang=%zz", "fr", "fr"},
		{"slang=it", "fr", "fr"},
		{"lang=" + strings.Repeat("it,", 400), "fr", "fr"},
		{"", strings.Repeat("it,", 400), "en"},
	} {
		if got := Language(asking(c.query, c.accept)); got != c.want {
			t.Errorf("?%.40s and Accept-Language %.40q give %q, want %q", c.query, c.accept, got, c.want)
		}
	}
}

func TestSeveralAcceptLanguageLinesAreOneList(t *testing.T) {
	if got := Language(asking("", "de", "it")); got != "it" {
		t.Errorf("got %q, want it", got)
	}
}

func TestARequestWithoutAnURLHasALanguage(t *testing.T) {
	if got := Language(&http.Request{}); got != "en" {
		t.Errorf("got %q, want en", got)
	}
}

// FuzzLanguage: whatever comes in, one of our languages goes out, soon.
func FuzzLanguage(f *testing.F) {
	f.Add("lang=fr", "fr-CA, it;q=0.5")
	f.Add("", "*;q=0.1, x-klingon, i-default, zh-min-nan, en-u-ca-gregory-t-fr")
	f.Add("lang=%F0%9F%92%B0&lang=it", strings.Repeat("a-", 255))
	f.Add("", strings.Repeat("und-", 127)+"fr;q=1e309")
	f.Fuzz(func(t *testing.T, query, accept string) {
		start := time.Now()
		got := Language(asking(query, accept))
		if again := Language(asking(query, accept)); again != got {
			t.Errorf("%q at first, %q when asked again", got, again)
		}
		if localeOf(got).tag != got {
			t.Errorf("%q is none of our languages", got)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func BenchmarkLanguage(b *testing.B) {
	r := asking("", "fr-CA,fr;q=0.9,en-US;q=0.8,en;q=0.7")
	b.ReportAllocs()
	for b.Loop() {
		Language(r)
	}
}
