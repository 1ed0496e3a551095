package caddymodule

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// pricedHandler is a handler of a configuration that is provisioned and not
// served: what a request costs without the server around it.
func pricedHandler(t testing.TB, config string) *Handler {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	ctx, err := caddy.ProvisionContext(&caddy.Config{
		Admin:   &caddy.AdminConfig{Disabled: true},
		Logging: &caddy.Logging{Logs: map[string]*caddy.CustomLog{"default": {BaseLog: caddy.BaseLog{Level: "PANIC"}}}},
		AppsRaw: caddy.ModuleMap{appName: json.RawMessage(`{"unpaid_limit":{"off":true}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	module, err := ctx.LoadModuleByID("http.handlers.paywall", json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	h := module.(*Handler)
	if err := h.app.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.app.Cleanup(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// asked is a request as Caddy's server hands it to the routes.
func asked(target string, header http.Header) *http.Request {
	r, err := http.NewRequest(http.MethodGet, "http://site.example"+target, nil)
	if err != nil {
		panic(err) // a target of the test's own
	}
	r.Header = header
	ctx := context.WithValue(r.Context(), caddy.ReplacerCtxKey, caddy.NewReplacer())
	ctx = context.WithValue(ctx, caddyhttp.VarsCtxKey, map[string]any{caddyhttp.ClientIPVarKey: "192.0.2.1"})
	ctx = context.WithValue(ctx, caddyhttp.OriginalRequestCtxKey, *r)
	return r.WithContext(ctx)
}

// counted takes an answer and keeps its status and size.
type counted struct {
	header       http.Header
	status, size int
}

func (c *counted) Header() http.Header            { return c.header }
func (c *counted) WriteHeader(status int)         { c.status = status }
func (c *counted) Write(body []byte) (int, error) { c.size += len(body); return len(body), nil }

const benchedPrice = `{"rule":"/articles/*","price":"0.10","title":"The Ferryman’s Ledger",` +
	`"teaser":"For forty years a man rowed strangers over a river for one coin each, and wrote down every crossing."}`

// BenchmarkChallenge is all that a 402 costs of the handler, from the call to
// the last byte handed to the server.
func BenchmarkChallenge(b *testing.B) {
	h := pricedHandler(b, benchedPrice)
	for _, c := range []struct{ form, accept string }{
		{"html", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"},
		{"json", "application/json"},
		{"text", "*/*"},
	} {
		b.Run("form="+c.form, func(b *testing.B) {
			r := asked("/articles/1?utm_source=mail", http.Header{
				"Accept": {c.accept}, "Accept-Language": {"fr-CA,fr;q=0.9,en-US;q=0.8,en;q=0.7"}, "User-Agent": {"bench"},
			})
			w := &counted{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				caddyhttp.SetVar(r.Context(), decidedVar, nil)
				if err := h.ServeHTTP(w, r, nil); err != nil || w.status != http.StatusPaymentRequired {
					b.Fatalf("%d, %v", w.status, err)
				}
			}
			b.ReportMetric(float64(w.size)/float64(b.N), "B/body")
		})
	}
}
