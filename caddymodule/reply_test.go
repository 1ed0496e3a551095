package caddymodule

import (
	"net/http"
	"slices"
	"testing"
)

// A field that only contains the name of another does not stand for it: a cache
// would serve one reader's page to the next.
func TestVaryNamesEachFieldOnce(t *testing.T) {
	for _, c := range []struct{ before, after []string }{
		{nil, []string{"Authorization, Cookie"}},
		{[]string{"Accept-Encoding"}, []string{"Accept-Encoding", "Authorization, Cookie"}},
		{[]string{"Accept, Cookie"}, []string{"Accept, Cookie", "Authorization"}},
		{[]string{"cookie , AUTHORIZATION"}, []string{"cookie , AUTHORIZATION"}},
		{[]string{"X-Cookie"}, []string{"X-Cookie", "Authorization, Cookie"}},
		{[]string{"Proxy-Authorization, Cookie2"}, []string{"Proxy-Authorization, Cookie2", "Authorization, Cookie"}},
	} {
		h := http.Header{"Vary": slices.Clone(c.before)}
		addVary(h, "Authorization", "Cookie")
		if got := h.Values("Vary"); !slices.Equal(got, c.after) {
			t.Errorf("to %q it adds up to %q, want %q", c.before, got, c.after)
		}
	}
}
