package page

import (
	"net/url"
	"strings"
	"testing"
)

func TestOnlyPathsOfThisSiteAreLinkedTo(t *testing.T) {
	for path, want := range map[string]string{
		"/articles/1":                      "/articles/1",
		"/a%20b?x=1&y=2":                   "/a%20b?x=1&y=2",
		"/a:b":                             "/a:b",
		"":                                 "/",
		"articles/1":                       "/",
		"//evil.example":                   "/",
		`/\evil.example`:                   "/",
		`/a\..\b`:                          "/",
		"https://evil.test/":               "/",
		"javascript:alert()":               "/",
		"/\t/evil.example":                 "/", // browsers drop the tab, and a host remains
		"/\n/evil.example":                 "/",
		"/%zz":                             "/",
		"/" + strings.Repeat("a", maxPath): "/",
	} {
		if got := localPath(path); got != want {
			t.Errorf("%.40q becomes %.40q, want %q", path, got, want)
		}
	}
}

func TestTheLanguageIsSetOnceInALink(t *testing.T) {
	for path, want := range map[string]string{
		"/a":                 "/a?lang=fr",
		"/a?lang=it":         "/a?lang=fr",
		"/a?x=1&lang=it":     "/a?lang=fr&x=1",
		"/a?b=%26#top":       "/a?b=%26&lang=fr",
		"/a%2Fb":             "/a%2Fb?lang=fr",
		"/a?b=%zz":           "/a?lang=fr",
		"//evil.example":     "/?lang=fr",
		"/%2fevil.example /": "/%2fevil.example /?lang=fr", // found by FuzzLocalPath
	} {
		if got := withLanguage(path, "fr"); got != want {
			t.Errorf("%q becomes %q, want %q", path, got, want)
		}
	}
}

// The short ways past the work must lead where the work does.
func FuzzShortcuts(f *testing.F) {
	for _, seed := range append(hostileParts, "", " a", "a ", "a  b", "/a/b", "/a//b", "/a/", "/~x.y-z_0", "/a?b=1&m=2&lang=it&lang=fr&lan=3&lang2=4") {
		f.Add(seed, 5)
		f.Add("/"+seed, maxTitle)
	}
	f.Fuzz(func(t *testing.T, text string, most int) {
		most = max(1, most)
		if got, want := clean(text, most), cleaned(text, most); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
		if got, want := localPath(text), parsedPath(text); got != want {
			t.Errorf("%q is linked to as %q, want %q", text, got, want)
		}
		path, _, _ := strings.Cut(parsedPath(text), "#")
		path, rawQuery, _ := strings.Cut(path, "?")
		query, err := url.ParseQuery(rawQuery)
		if err != nil {
			query = url.Values{}
		}
		query.Set("lang", "fr")
		if got, want := withLanguage(text, "fr"), path+"?"+query.Encode(); got != want {
			t.Errorf("%q in French is %q, want %q", text, got, want)
		}
	})
}

// FuzzLocalPath: wherever a link was to lead, it leads to this site.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/articles/1?x=1", "//e.x", `/\e.x`, "/\t//e.x", "/%2f/e.x", "/..//e.x", "/%2fe.x /", "/@e.x:80"} {
		f.Add(seed)
	}
	site := &url.URL{Scheme: "https", Host: "site.example", Path: "/here"}
	f.Fuzz(func(t *testing.T, path string) {
		for _, link := range []string{localPath(path), withLanguage(path, "fr")} {
			to, err := site.Parse(link)
			if err != nil || to.Host != site.Host || to.Scheme != site.Scheme || !strings.HasPrefix(link, "/") || strings.HasPrefix(link, "//") {
				t.Errorf("%q leads to %v (%v)", link, to, err)
			}
		}
	})
}
