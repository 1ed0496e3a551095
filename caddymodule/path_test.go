package caddymodule

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// elsewhere reports whether a browser that is on a page of this site and
// follows location leaves it (URL Standard §4.4: tabs and line breaks vanish,
// a backslash is a slash).
func elsewhere(location string) bool {
	location = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(location)
	location = strings.TrimLeft(location, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f ")
	base := &url.URL{Scheme: "https", Host: "site.example", Path: "/a"}
	to, err := base.Parse(location)
	return strings.HasPrefix(location, "//") || err == nil && (to.Host != base.Host || to.Scheme != base.Scheme)
}

var leadingPaths = []string{
	"", "/", "/articles/1", "/articles/1?a=b#c", "//evil.example", `/\evil.example`, `\\evil.example`, "https://evil.example/",
	"evil.example", "/\t/evil.example", "/\n/evil.example", " //evil.example", "javascript:alert(1)", "/./ /evil.example",
	"/..//evil.example", "/%2f/evil.example", "/%5cevil.example", "///evil.example", "/.//evil.example", "/%zz",
}

func TestAFormLeadsOnlyToAPathOfThisSite(t *testing.T) {
	kept := map[string]bool{"/": true, "/articles/1": true, "/articles/1?a=b#c": true, "/%2f/evil.example": true,
		"/%5cevil.example": true, "/..//evil.example": true, "/.//evil.example": true, "/%zz": true, "/./ /evil.example": true}
	for _, path := range leadingPaths {
		want := page.WalletPath
		if kept[path] {
			want = path
		}
		if got := localPath(path); got != want {
			t.Errorf("%q leads to %q, want %q", path, got, want)
		}
	}
}

// locationAfter is where a redirect to a form's field leads.
func locationAfter(field string) string {
	w := httptest.NewRecorder()
	c := &call{w: w, r: requestOf("POST", page.PayPath), fields: fields{Return: field}}
	c.redirect(c.back())
	return w.Header().Get("Location")
}

// FuzzLocalPath: no form field leads a reader to another site.
func FuzzLocalPath(f *testing.F) {
	for _, path := range leadingPaths {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if to := locationAfter(path); elsewhere(to) || to == "" {
			t.Fatalf("%q leads to %q", path, to)
		}
	})
}

// FuzzOriginalURI: the address that a client asked for, whatever it was, leads
// back to this site.
func FuzzOriginalURI(f *testing.F) {
	for _, path := range leadingPaths {
		f.Add(path, "/rewritten")
	}
	f.Fuzz(func(t *testing.T, asked, rewritten string) {
		before, err := url.ParseRequestURI(asked)
		if err != nil {
			return
		}
		r := &http.Request{URL: &url.URL{Path: rewritten}}
		r = r.WithContext(context.WithValue(context.Background(), caddyhttp.OriginalRequestCtxKey, http.Request{URL: before}))
		back := originalURI(r)
		if back[0] != '/' || elsewhere(back) {
			t.Fatalf("%q leads back to %q", asked, back)
		}
		if to := locationAfter(back); elsewhere(to) {
			t.Fatalf("%q redirects to %q", asked, to)
		}
	})
}

func TestTheAddressToComeBackToIsTheOneBeforeARewrite(t *testing.T) {
	r := requestOf("GET", "/premium/1")
	if got := originalURI(r); got != "/premium/1" {
		t.Errorf("without a rewrite: %q", got)
	}
	before, err := url.Parse("//articles/1?a=b")
	if err != nil {
		t.Fatal(err)
	}
	before.Path, before.Host = "//articles/1", ""
	r = r.WithContext(context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, http.Request{URL: before}))
	if got := originalURI(r); got != "/articles/1?a=b" {
		t.Errorf("after a rewrite: %q", got)
	}
}
