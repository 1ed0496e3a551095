package caddymodule

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// probeTimeout bounds a probe that nothing prices and that so reaches the
// upstream.
const probeTimeout = 5 * time.Second

// probe asks the server's own routes what a path costs. Only they know: a route
// may match by more than the path, and rewrite it first. The request runs until
// a priced route finds the probe in its context, and goes no further. A path
// that nothing prices is asked of the upstream as any GET without credentials
// would be, and the answer is thrown away at its first byte.
type probe struct {
	found *ask
}

type probeKey struct{}

func probeOf(ctx context.Context) *probe {
	p, _ := ctx.Value(probeKey{}).(*probe)
	return p
}

// quote finds out what a path of this site costs.
func (c *call) quote(path string) (ask, error) {
	target, err := url.ParseRequestURI(path)
	if err != nil || target.IsAbs() || target.Host != "" || !strings.HasPrefix(path, "/") {
		return ask{}, badRequest("path must be a path of this site, such as /articles/1")
	}
	server, ok := c.r.Context().Value(caddyhttp.ServerCtxKey).(http.Handler)
	if !ok {
		return ask{}, errors.New("no server in the request's context")
	}
	p := new(probe)
	ctx, cancel := context.WithTimeout(context.WithValue(c.r.Context(), probeKey{}, p), probeTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if err != nil {
		return ask{}, err
	}
	r.URL = target // not as text, in which a path of two slashes begins with a host
	r.Host, r.RemoteAddr, r.TLS, r.RequestURI = c.r.Host, c.r.RemoteAddr, c.r.TLS, target.RequestURI()
	for _, name := range [...]string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"} {
		r.Header[name] = c.r.Header[name]
	}
	serveProbe(server, r)
	if p.found == nil {
		return ask{}, problem{status: http.StatusNotFound, key: page.NotFound, detail: "nothing is for sale at that path"}
	}
	return *p.found, nil
}

// serveProbe runs the request. An upstream may panic with http.ErrAbortHandler
// when its answer is not taken, which is what it gets.
func serveProbe(server http.Handler, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != any(http.ErrAbortHandler) {
			panic(p)
		}
	}()
	server.ServeHTTP(deaf{make(http.Header)}, r)
}

// deaf is a response writer that takes nothing.
type deaf struct{ header http.Header }

func (d deaf) Header() http.Header       { return d.header }
func (d deaf) WriteHeader(int)           {}
func (d deaf) Write([]byte) (int, error) { return 0, errors.New("paywall: a probe takes no answer") }
