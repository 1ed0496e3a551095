package caddymodule

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(testUpstream{})
	httpcaddyfile.RegisterHandlerDirective("test_upstream", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		u := new(testUpstream)
		return u, u.UnmarshalCaddyfile(h.Dispenser)
	})
	httpcaddyfile.RegisterDirectiveOrder("test_upstream", httpcaddyfile.Before, "file_server")
}

// testUpstream is a handler that a test supplies: test_upstream <name>.
type testUpstream struct {
	Name string `json:"name"`
}

// testUpstreams holds the tests' handlers by name.
var (
	testUpstreams     sync.Map
	testUpstreamCount atomic.Int64
)

func (testUpstream) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_upstream", New: func() caddy.Module { return new(testUpstream) }}
}

func (u *testUpstream) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if !d.Args(&u.Name) {
		return d.ArgErr()
	}
	return nil
}

func (u *testUpstream) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	serve, _ := testUpstreams.Load(u.Name)
	return serve.(func(http.ResponseWriter, *http.Request) error)(w, r)
}

// upstreamOf makes serve an upstream and returns the directive that names it.
func upstreamOf(t *testing.T, serve func(http.ResponseWriter, *http.Request) error) string {
	name := fmt.Sprint(testUpstreamCount.Add(1))
	testUpstreams.Store(name, serve)
	t.Cleanup(func() { testUpstreams.Delete(name) })
	return "test_upstream " + name
}

const secretBody = "SECRET " + "body of the page"

// deliveries are the ways on which an upstream's bytes can leave. Each sends
// the header Secret and, unless bare, secretBody.
var deliveries = map[string]struct {
	serve  func(w http.ResponseWriter, r *http.Request) error
	status int    // that leaves when the charge goes through; 101: by hijacking
	body   string // that leaves when the charge goes through
	asked  int    // the status that is judged; zero: none
}{
	"WriteHeader and Write": {func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		_, err := io.WriteString(w, secretBody)
		return err
	}, 200, secretBody, 200},
	"WriteHeader twice": {func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		w.WriteHeader(http.StatusTeapot)
		_, err := io.WriteString(w, secretBody)
		return err
	}, 200, secretBody, 200},
	"WriteHeader alone": {func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		return nil
	}, 200, "", 200},
	"Write alone": {func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, secretBody)
		return err
	}, 200, secretBody, 200},
	"Write whose error nobody reads": {func(w http.ResponseWriter, _ *http.Request) error {
		for _, part := range strings.SplitAfter(secretBody, " ") {
			_, _ = io.WriteString(w, part)
		}
		return nil
	}, 200, secretBody, 200},
	"ReadFrom": {func(w http.ResponseWriter, _ *http.Request) error {
		_, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(secretBody))
		return err
	}, 200, secretBody, 200},
	"io.Copy": {func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.Copy(w, io.LimitReader(strings.NewReader(secretBody+"more"), int64(len(secretBody))))
		return err
	}, 200, secretBody, 200},
	"Flush first": {func(w http.ResponseWriter, _ *http.Request) error {
		_ = http.NewResponseController(w).Flush()
		_, err := io.WriteString(w, secretBody)
		return err
	}, 200, secretBody, 200},
	"Hijack bare": {func(w http.ResponseWriter, _ *http.Request) error {
		return hijack(w)
	}, 101, secretBody, 101},
	"101 and Hijack": {func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Upgrade", "echo")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		return hijack(w)
	}, 101, secretBody, 101},
	"103 and 200": {func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusEarlyHints)
		_, err := io.WriteString(w, secretBody)
		return err
	}, 200, secretBody, 200},
	"nothing": {func(http.ResponseWriter, *http.Request) error { return nil }, 200, "", 0},
	"an unwrapped deadline": {func(w http.ResponseWriter, _ *http.Request) error {
		c := http.NewResponseController(w)
		if err := c.EnableFullDuplex(); err != nil {
			return err
		}
		if _, unwraps := w.(interface{ Unwrap() http.ResponseWriter }); !unwraps {
			return fmt.Errorf("%T does not unwrap", w)
		}
		_, err := io.WriteString(w, secretBody)
		return err
	}, 200, secretBody, 200},
	"a panic before the header": {func(http.ResponseWriter, *http.Request) error {
		panic(http.ErrAbortHandler)
	}, 0, "", 0},
	breaksOff: {func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, secretBody)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, 0, secretBody, 200},
	"404": {func(http.ResponseWriter, *http.Request) error {
		return caddyhttp.Error(http.StatusNotFound, fmt.Errorf("no such page"))
	}, 404, "", 0},
	"500": {func(http.ResponseWriter, *http.Request) error {
		return caddyhttp.Error(http.StatusInternalServerError, fmt.Errorf("broken"))
	}, 500, "", 0},
	"404 written": {func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusNotFound)
		_, err := io.WriteString(w, "no such page")
		return err
	}, 404, "no such page", 404},
	"204": {func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}, 204, "", 204},
	"304": {func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}, 304, "", 304},
	"302": {func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
		return nil
	}, 302, "", 302},
}

// hijack answers on the connection itself, whatever was written before.
func hijack(w http.ResponseWriter) error {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	defer conn.Close()
	return answerRaw(rw)
}

func answerRaw(rw *bufio.ReadWriter) error {
	if _, err := rw.WriteString(secretBody); err != nil {
		return err
	}
	return rw.Flush()
}
