package caddymodule

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// startProxy is a site whose priced pages come from an upstream server.
func startProxy(t *testing.T, serve http.HandlerFunc) *site {
	t.Helper()
	backend := httptest.NewServer(serve)
	t.Cleanup(backend.Close)
	return startSite(t, "paywall /articles/* 0.10\nreverse_proxy "+backend.Listener.Addr().String()+" {\nflush_interval -1\n}")
}

func TestTheUpstreamSeesNoTokenNoCookieAndNoForgedHeader(t *testing.T) {
	seen := make(chan http.Header, 1)
	s := startProxy(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Clone()
		_, _ = io.WriteString(w, secretBody)
	})
	m := s.machine("1.00")
	token := strings.TrimPrefix(m.header.Get("Authorization"), "Bearer ")
	m.with("Cookie", "a=1; paywall="+token+"; paywall-notice=redeemed; b=2").with("Paywall-Charged", "9.99 USD").
		get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	h := <-seen
	if got := h.Get("Cookie"); got != "a=1; b=2" {
		t.Errorf("the upstream sees the cookies %q", got)
	}
	for name, values := range h {
		if name == "Authorization" || name == "Paywall-Charged" || strings.Contains(strings.Join(values, " "), token) {
			t.Errorf("the upstream sees %s: %q", name, values)
		}
	}

	reader := s.stranger().with("Cookie", "paywall="+token).with("Authorization", "Basic dTpw")
	reader.get("/articles/1").wants(http.StatusOK)
	if h := <-seen; h.Get("Authorization") != "Basic dTpw" || h.Get("Cookie") != "" {
		t.Errorf("the upstream of a reader sees %v", h)
	}
	m.wantsBalance("0.90")
}

// What an upstream says to caches is not what leaves: a shared cache would give
// the page away.
func TestAPaidPageIsNotForSharedCaches(t *testing.T) {
	s := startProxy(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", r.URL.Query().Get("cache"))
		w.Header().Set("Vary", "Accept-Language, authorization")
		_, _ = io.WriteString(w, secretBody)
	})
	m := s.machine("1.00")
	m.get("/articles/1?cache=public,max-age=60").wantsHeader("Cache-Control", "private").
		wantsHeader("Vary", "Accept-Language, authorization, Cookie")
	m.get("/articles/1?cache=no-store").wantsHeader("Cache-Control", "private, no-store")
	m.wantsBalance("0.90")
}
