package caddymodule

import (
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestDotsAreResolvedAsThePathMatcherResolvesThem(t *testing.T) {
	for asked, want := range map[string]string{
		"/":                           "/",
		"/articles/1":                 "/articles/1",
		"/articles//1":                "/articles//1",
		"/articles%2F1":               "/articles%2F1",
		"/.well-known/x":              "/.well-known/x",
		"/.paywall/wallet":            "/.paywall/wallet",
		"/a/...":                      "/a/...",
		"/a/..b/.c":                   "/a/..b/.c",
		"/a/.":                        "/a",
		"/a/..":                       "/",
		"/a/./":                       "/a/",
		"/a/../":                      "/",
		"/a/../b?x=/../":              "/b?x=/../",
		"/articles/1/%2e%2E/..%2f/b/": "/b/",
		"/..%2f..%2f%61?":             "/a?",
		"/free/..//articles%2F1":      "/articles/1",
		"//a/./b%20c":                 "/a/b%20c",
		"/x/..%3fy":                   "/x/..%3fy",
		"http://a.example/b/../c?d":   "/c?d",
		"/x/%2e.%2fy%3fz":             "/y%3Fz",
	} {
		r := requestOf("GET", "/")
		r.RequestURI = asked
		var err error
		if r.URL, err = url.ParseRequestURI(asked); err != nil {
			t.Fatal(err)
		}
		resolveDots(r)
		if got := r.URL.RequestURI(); got != want || want != asked && r.RequestURI != want {
			t.Errorf("%s becomes %s (and %s), want %s", asked, got, r.RequestURI, want)
		}
	}
}

// FuzzResolveDots: no dots are left, and the path matcher sees the same path as
// before.
func FuzzResolveDots(f *testing.F) {
	for _, p := range spellings {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		r := requestOf("GET", "/")
		r.URL.Path = "/" + strings.TrimPrefix(p, "/")
		before := r.URL.Path
		resolveDots(r)
		for segment := range strings.SplitSeq(r.URL.Path, "/") {
			if segment == "." || segment == ".." {
				t.Fatalf("%q becomes %q", p, r.URL.Path)
			}
		}
		if path.Clean(before) != path.Clean(r.URL.Path) || strings.HasSuffix(before, "/") != strings.HasSuffix(r.URL.Path, "/") && path.Clean(before) != "/" {
			t.Fatalf("%q becomes %q", p, r.URL.Path)
		}
	})
}

// The attack: a path that the price takes for a free page, and an upstream that
// looks at its beginning for an article.
func TestAttackDotsThatTheUpstreamReadsOtherwise(t *testing.T) {
	s := startProxy(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.RequestURI, "/articles/1/") {
			_, _ = io.WriteString(w, secretBody)
		}
	})
	for _, target := range []string{
		"/articles/1/../../free", "/articles/1/%2e%2e/%2e%2e/free", "/articles/1/..%2f..%2ffree", "/articles/1/%2E./.%2e/", "/articles/1/..%2f../x/..",
		"/articles/1/../../.paywall/../free", "/articles/1/..//../free", "/articles/1/./../../free",
	} {
		if raw := s.stranger().raw("GET", target); strings.Contains(raw, "SECRET") {
			t.Errorf("%s:\n%s", target, raw)
		}
	}
}
