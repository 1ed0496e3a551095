package caddymodule

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// servePreflight lets a preflight through to what answers it: whether another
// origin may ask is the site's to say. What else an upstream would say of the
// page has not been paid for.
func servePreflight(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	h := newHeadOnly(w)
	err := next.ServeHTTP(h, r)
	h.commit()
	return err
}

// headOnly lets through what a preflight's answer is for: its status, and the
// header fields that say who may ask what. There is no body and no trailer, and
// no field by which the page could be told from another, such as ETag.
type headOnly struct {
	caddyhttp.ResponseWriterWrapper
	said      http.Header // what the upstream would like to say
	committed bool
}

func newHeadOnly(w http.ResponseWriter) *headOnly {
	h := &headOnly{said: w.Header().Clone()}
	h.ResponseWriter = w
	return h
}

// commit takes over the fields that may leave, before the header does.
func (h *headOnly) commit() {
	if h.committed {
		return
	}
	h.committed = true
	header := h.ResponseWriter.Header()
	for name, values := range h.said {
		if ofPreflight(name) {
			header[name] = values
		}
	}
}

func ofPreflight(name string) bool {
	return strings.HasPrefix(name, "Access-Control-") || name == "Allow" || name == "Vary" || name == "Cache-Control"
}

func (h *headOnly) Header() http.Header { return h.said }

// WriteHeader passes the final status on. Early hints are of the page.
func (h *headOnly) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		return
	}
	h.commit()
	h.ResponseWriter.WriteHeader(status)
}

func (h *headOnly) Write(p []byte) (int, error) {
	h.commit()
	return len(p), nil
}

func (h *headOnly) ReadFrom(r io.Reader) (int64, error) {
	h.commit()
	return io.Copy(io.Discard, r)
}

func (h *headOnly) FlushError() error {
	h.commit()
	return http.NewResponseController(h.ResponseWriter).Flush()
}

func (h *headOnly) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, errors.New("paywall: a preflight cannot be upgraded")
}

// Interface guards
var (
	_ http.ResponseWriter = (*headOnly)(nil)
	_ io.ReaderFrom       = (*headOnly)(nil)
	_ http.Hijacker       = (*headOnly)(nil)
)
