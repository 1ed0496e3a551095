package caddymodule

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// The rows about shared caches, before and behind the paywall.

func init() {
	caddy.RegisterModule(new(testCache))
	httpcaddyfile.RegisterHandlerDirective("test_cache", func(httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		return new(testCache), nil
	})
}

// testCache is the carelessest shared cache that still is one (RFC 9111 §3): it
// keeps every answer to a GET, for whoever comes next, that Cache-Control does
// not forbid it to keep, whatever its status, its Vary and the credentials of
// the question.
type testCache struct {
	mu   sync.Mutex
	kept map[string]keptAnswer
}

type keptAnswer struct {
	status int
	header http.Header
	body   []byte
}

func (*testCache) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_cache", New: func() caddy.Module { return new(testCache) }}
}

func (c *testCache) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if r.Method != http.MethodGet {
		return next.ServeHTTP(w, r)
	}
	key := r.Host + r.URL.RequestURI()
	c.mu.Lock()
	hit, found := c.kept[key]
	c.mu.Unlock()
	if found {
		for name, values := range hit.header {
			w.Header()[name] = values
		}
		w.Header().Set("Age", "1")
		w.WriteHeader(hit.status)
		_, err := w.Write(hit.body)
		return err
	}
	answer := caddyhttp.NewResponseRecorder(w, new(bytes.Buffer), func(_ int, h http.Header) bool {
		says := strings.ToLower(strings.Join(h.Values("Cache-Control"), ","))
		return !strings.Contains(says, "private") && !strings.Contains(says, "no-store")
	})
	if err := next.ServeHTTP(answer, r); err != nil || !answer.Buffered() {
		return err
	}
	c.mu.Lock()
	if c.kept == nil {
		c.kept = make(map[string]keptAnswer)
	}
	c.kept[key] = keptAnswer{answer.Status(), answer.Header().Clone(), bytes.Clone(answer.Buffer().Bytes())}
	c.mu.Unlock()
	return answer.WriteResponse()
}

// servePublic answers with what its author thinks everybody may keep.
func servePublic(_ *flight, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=3600, s-maxage=3600")
	w.Header().Set("Made", "by the upstream")
	if strings.HasPrefix(r.URL.Path, "/articles/404") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, secretBody)
}

var weatherOfCaches = []weatherRow{
	{
		name: "a cache before the paywall keeps neither pages nor challenges", serve: servePublic,
		site: "route {\ntest_cache\npaywall /articles/* 0.10\nreverse_proxy $UPSTREAM\n}",
		story: func(f *flight) {
			query := "?" + f.protocol.name
			f.pay(visit{by: stranger, path: "/free" + query, status: 200, page: true}).wantsHeader("Age", "")
			f.pay(visit{by: stranger, path: "/free" + query, status: 200, page: true}).wantsHeader("Age", "1")
			page := "/articles/1" + query
			f.pay(visit{by: stranger, path: page, status: 402, outcome: "challenged"})
			f.pay(visit{path: page, status: 200, outcome: "paid", page: true}).wantsHeader("Age", "")
			f.pay(visit{path: page, status: 200, outcome: "granted", page: true}).wantsHeader("Age", "")
			f.pay(visit{by: stranger, path: page, status: 402, outcome: "challenged"}).wantsHeader("Age", "")
			f.pay(visit{path: "/articles/404" + query, status: 404, outcome: "unpaid"})
			f.pay(visit{by: stranger, path: "/articles/404" + query, status: 402, outcome: "challenged"}).wantsHeader("Age", "")
		},
		ledger: "charge", left: "0.90",
	},
	{
		name: "a cache behind the paywall is paid by each wallet", serve: servePublic,
		site: "route {\npaywall /articles/* 0.10\ntest_cache\nreverse_proxy $UPSTREAM\n}",
		story: func(f *flight) {
			page := "/articles/1?" + f.protocol.name
			f.pay(visit{path: page, status: 200, outcome: "paid", page: true}).wantsHeader("Age", "")
			f.pay(visit{path: page, status: 200, outcome: "granted", page: true}).wantsHeader("Age", "1")
			f.pay(visit{by: stranger, path: page, status: 402, outcome: "challenged"}).wantsHeader("Age", "")
			other := f.owner("0.15")
			another := func(*flight) *visitor { return other }
			f.pay(visit{by: another, path: page, status: 200, outcome: "paid", page: true}).
				wantsHeader("Age", "1").wantsHeader("Paywall-Balance", "0.05 USD")
			f.pay(visit{by: another, path: "/articles/2", status: 402, outcome: "challenged"})
		},
		ledger: "charge", left: "0.90",
	},
}
