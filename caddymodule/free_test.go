package caddymodule

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// A visitor of a free page, who shows no credential, costs neither the line that
// does not match nor the one that serves the wallet's pages any memory.
func TestTheFreePathAllocatesNothing(t *testing.T) {
	startSite(t, magazine)
	h := &Handler{app: runningApp(t)}
	r := httptest.NewRequest(http.MethodGet, "/free/1", nil)
	r.Header.Set("User-Agent", "a browser")
	r.Header.Set("Accept-Language", "fr")
	original := r.Clone(r.Context())
	ctx := context.WithValue(r.Context(), caddyhttp.VarsCtxKey, map[string]any{})
	r = r.WithContext(context.WithValue(ctx, caddyhttp.OriginalRequestCtxKey, *original))
	w := httptest.NewRecorder()
	reached := 0
	next := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { reached++; return nil })
	const times = 100
	if n := testing.AllocsPerRun(times, func() { _ = h.ServeHTTP(w, r, next) }); n != 0 {
		t.Errorf("a free page costs %v allocations", n)
	}
	if reached < times {
		t.Errorf("the free page was reached %d times of %d", reached, times)
	}
}
