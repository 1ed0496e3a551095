package caddymodule

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestDotsAreResolved(t *testing.T) {
	for path, want := range map[string]string{
		"/a/.": "/a/", "/a/..": "/", "/a/./": "/a/", "/a/../": "/", "/a/b/..": "/a/", "/../a": "/a", "//a/./b c": "/a/b c", "/..": "/", "/.": "/",
		"/./a//b": "/a/b", "//./evil.example/..//b": "/b", "/a/.../..": "/a/", "/.././/evil.example": "/evil.example", `/./\\evil.example`: `/\\evil.example`,
	} {
		if !hasDots(path) || hasDots(want) || withoutDots(path) != want {
			t.Errorf("%s becomes %s, want %s", path, withoutDots(path), want)
		}
	}
	for _, path := range []string{"", "/", "*", "/a", "//a", "/a//b", "/.well-known/x", "/.paywall/wallet", "/a/...", "/a/..b/.c", "/a.", "/a../b", "a/b"} {
		if hasDots(path) {
			t.Errorf("%s has dots", path)
		}
	}
}

// Whoever asks for a path with dots is sent to the one without, whether or not
// it has a price, and pays there.
func TestAPathWithDotsLeadsToTheOneWithout(t *testing.T) {
	s := startSite(t, "rewrite /pages /free/{query.page}\n"+magazine)
	m := s.machine("1.00")
	for target, want := range map[string]string{
		"/free/../articles/1": "/articles/1", "/articles/./1?a=b": "/articles/1?a=b", "/free/..%2farticles%2F1": "/articles/1", "/articles/.": "/articles/",
		"/articles/1/%2e%2E": "/articles/", "/.paywall/../index.html": "/index.html", "/x/../.paywall/wallet": "/.paywall/wallet", "/x/..//evil.example/": "/evil.example/",
		`/x/../\evil.example`: "/%5Cevil.example", "/x/../a%3fb?c": "/a%3Fb?c", "/x/../a%0d%0ab": "/a%0D%0Ab",
	} {
		raw := m.raw("GET", target)
		if !strings.HasPrefix(raw, "HTTP/1.1 308") || !strings.Contains(raw, "\r\nLocation: "+want+"\r\n") || !strings.Contains(raw, "Cache-Control: no-store") || strings.Contains(raw, "SECRET") {
			t.Errorf("%s does not lead to %s:\n%s", target, want, raw)
		}
	}
	m.get("/pages?page=../articles/1").wants(http.StatusBadRequest).saysNot("SECRET")
	m.get("/pages?page=../index.html").wants(http.StatusBadRequest)
	m.post("/.paywall/pay", map[string]any{"path": "/free/../articles/1"}).wants(http.StatusNotFound)
	m.wantsBalance("1.00")
}

// FuzzWithoutDots: no dots are left, nor anything that would lead elsewhere.
func FuzzWithoutDots(f *testing.F) {
	for _, p := range append(spellings, leadingPaths...) {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		straight := url.URL{Path: withoutDots("/" + p)}
		if to := straight.RequestURI(); hasDots(straight.Path) || elsewhere(to) || to[0] != '/' {
			t.Fatalf("%q becomes %q", p, to)
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
