package caddymodule

import (
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(testWatch{})
	httpcaddyfile.RegisterHandlerDirective("test_watch", func(httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		return testWatch{}, nil
	})
	httpcaddyfile.RegisterDirectiveOrder("test_watch", httpcaddyfile.Before, "header")
}

// testWatch tells a flight which of its requests are under way, outside of
// everything else, and with which outcome they end.
type testWatch struct{}

func (testWatch) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_watch", New: func() caddy.Module { return new(testWatch) }}
}

func (testWatch) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	f := flightOf(r)
	if f == nil {
		return next.ServeHTTP(w, r)
	}
	f.enter(r.TLS != nil && !r.TLS.HandshakeComplete)
	defer func() {
		repl := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
		outcome, _ := repl.GetString("http.paywall.outcome")
		f.leave(outcome)
	}()
	return next.ServeHTTP(w, r)
}

// enter counts a request that begins.
func (f *flight) enter(early bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.under++
	f.begun++
	if early {
		f.early++
	}
	if f.next != nil {
		close(f.next)
		f.next = nil
	}
}

// leave counts one that ends.
func (f *flight) leave(outcome string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.under--
	f.outcome = outcome
}

// asked counts the requests so far, and those of them in early data.
func (f *flight) asked() (all, early int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.begun, f.early
}

// whenAsked is closed when the next request begins.
func (f *flight) whenAsked() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = make(chan struct{})
	return f.next
}

// settled waits until no request of the flight is under way in the server.
func (f *flight) settled() {
	f.Helper()
	eventually(f.T, "the server is done with every request", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.under == 0
	})
}

// lastOutcome is that of the request that ended last.
func (f *flight) lastOutcome() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.outcome
}
