package caddymodule

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// The attack: a program asks as browsers do beforehand, of an upstream that
// answers as it would to a GET, to learn of the page without paying.
func TestAttackAPreflightThatWouldLearnOfThePage(t *testing.T) {
	s := startSiteWith(t, "servers {\nprotocols h1 h2c\n}", "header X-Site yes\npaywall /articles/* 0.10\n"+upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Set("Link", "</SECRET>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		for _, name := range []string{"Etag", "Last-Modified", "Content-Range", "Content-Type", "Content-Length", "Set-Cookie", "Location", "X-Title", "Trailer", "X-Site"} {
			h.Set(name, "SECRET")
		}
		h.Set(allowOrigin, otherOrigin)
		h.Set("Access-Control-Allow-Headers", "Authorization")
		h.Set("Vary", "Origin")
		h.Set("Allow", "GET")
		switch r.URL.Path {
		case "/articles/1":
			w.WriteHeader(http.StatusNoContent)
		case "/articles/2":
			_, _ = w.Write([]byte(secretBody))
		case "/articles/3":
			return caddyhttp.Error(http.StatusMethodNotAllowed, nil)
		}
		h.Set(http.TrailerPrefix+"X-Last", "SECRET")
		return nil
	}))
	asking := s.stranger().with("Origin", otherOrigin).with("Access-Control-Request-Method", "GET")
	for path, status := range map[string]int{"/articles/1": 204, "/articles/2": 200, "/articles/3": 405, "/articles/4": 200} {
		for _, v := range []*visitor{asking, asking.overHTTP2()} {
			got := v.do(http.MethodOptions, path, "", "").wants(status).wantsHeader(allowOrigin, otherOrigin).
				wantsHeader("Access-Control-Allow-Headers", "Authorization").wantsHeader("Vary", "Origin").wantsHeader("Allow", "GET").
				wantsHeader("X-Site", "yes").saysNot("SECRET")
			for _, fields := range []http.Header{got.Header, got.Trailer} {
				for name, values := range fields {
					if strings.Contains(strings.Join(values, " "), "SECRET") {
						t.Errorf("%s over %s says %s: %q", path, got.Proto, name, values)
					}
				}
			}
		}
	}
}
