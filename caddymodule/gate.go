package caddymodule

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// errRefused stops an upstream whose answer the gate has thrown away.
var errRefused = errors.New("paywall: the charge failed, so the answer is not delivered")

// gate is a response writer that asks once, at the commit point, whether the
// answer may leave: when the final status is known and before the first byte.
// Every way on which bytes can leave goes through commit; one that did not
// would be a free lunch. A handler that unwraps the gate by hand is out of its
// reach.
type gate struct {
	caddyhttp.ResponseWriterWrapper
	settle settlement

	before    []fieldLines // the header as it was before the upstream touched it
	committed bool
	refused   bool
	empty     bool // a 205: it is not paid for, and net/http would let a body through
	endless   bool // a connection handed over, or a stream of events: it has no end to miss
	deaf      bool // the client takes no more
}

// newGate returns a gate whose settlement may refuse.
func newGate(w http.ResponseWriter, settle settlement) *gate {
	g := newOpenGate(w, settle)
	header := w.Header()
	g.before = make([]fieldLines, 0, len(header))
	for name, lines := range header {
		g.before = append(g.before, fieldLines{name, slices.Clone(lines)})
	}
	return g
}

// fieldLines is one field of a header. A list of them is a third of the work of
// a clone.
type fieldLines struct {
	name  string
	lines []string
}

// newOpenGate returns a gate whose settlement never refuses.
func newOpenGate(w http.ResponseWriter, settle settlement) *gate {
	g := &gate{settle: settle}
	g.ResponseWriter = w
	return g
}

// commit settles once and reports whether the answer may leave.
func (g *gate) commit(status int) bool {
	if g.committed {
		return !g.refused
	}
	g.committed = true
	instead := g.settle(status, g.Header())
	if instead == nil {
		if g.empty = status == http.StatusResetContent; g.empty {
			g.Header().Del("Content-Length")
		}
		g.endless = status == http.StatusSwitchingProtocols ||
			strings.HasPrefix(g.Header().Get("Content-Type"), "text/event-stream")
		return true
	}
	g.refused = true
	header := g.Header()
	clear(header)
	for _, field := range g.before {
		header[field.name] = field.lines
	}
	instead(g.ResponseWriter)
	return false
}

// WriteHeader passes informational answers on: they are not the final status.
// 101 is final, as nothing but the connection follows.
func (g *gate) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		g.ResponseWriter.WriteHeader(status)
		return
	}
	if first := !g.committed; g.commit(status) && first {
		g.ResponseWriter.WriteHeader(status)
	}
}

func (g *gate) Write(p []byte) (int, error) {
	g.implicitHeader()
	if g.refused {
		return 0, errRefused
	}
	if g.empty {
		return len(p), nil
	}
	n, err := g.ResponseWriter.Write(p)
	g.deaf = g.deaf || err != nil
	return n, err
}

// ReadFrom keeps the fast path of sendfile, behind the gate. Whether it was the
// reader that failed or the client cannot be told without losing that path; it
// counts as the client.
func (g *gate) ReadFrom(r io.Reader) (int64, error) {
	g.implicitHeader()
	if g.refused {
		return 0, errRefused
	}
	if g.empty {
		return io.Copy(io.Discard, r)
	}
	send := g.ResponseWriterWrapper.ReadFrom
	if isSmall(r) {
		send = func(r io.Reader) (int64, error) { return sendSmall(g.ResponseWriter, r) }
	}
	n, err := send(r)
	g.deaf = g.deaf || err != nil
	return n, err
}

// FlushError is how http.ResponseController flushes.
func (g *gate) FlushError() error {
	g.implicitHeader()
	if g.refused {
		return errRefused
	}
	return http.NewResponseController(g.ResponseWriter).Flush()
}

// Hijack hands the connection over, which is as final as a 101. HTTP/2 and
// HTTP/3 have none to hand over: an upstream that asks all the same has
// delivered nothing.
func (g *gate) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !g.committed && !hijackable(g.ResponseWriter) {
		return nil, nil, http.ErrNotSupported
	}
	if !g.commit(http.StatusSwitchingProtocols) {
		return nil, nil, errRefused
	}
	conn, rw, err := http.NewResponseController(g.ResponseWriter).Hijack()
	if err != nil {
		g.endless = false
	}
	return conn, rw, err
}

// hijackable reports whether the innermost writer, of net/http itself, has a
// connection. The ones around it have the method and may not.
func hijackable(w http.ResponseWriter) bool {
	for {
		wrapper, wraps := w.(interface{ Unwrap() http.ResponseWriter })
		if !wraps {
			_, has := w.(http.Hijacker)
			return has
		}
		w = wrapper.Unwrap()
	}
}

// brokenOff reports whether an answer that ended in a failure is one of which
// the client lacks the rest through no fault of its own.
func (g *gate) brokenOff() bool { return g.committed && !g.refused && !g.endless && !g.deaf }

// dropTrailers forgets the header fields that an upstream whose answer was
// refused has set since, and that HTTP/2 would send at the end.
func (g *gate) dropTrailers() {
	for name := range g.Header() {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			delete(g.Header(), name)
		}
	}
}

// implicitHeader is what net/http does for a handler that writes first.
func (g *gate) implicitHeader() {
	if !g.committed {
		g.WriteHeader(http.StatusOK)
	}
}

// Interface guards
var (
	_ http.ResponseWriter = (*gate)(nil)
	_ io.ReaderFrom       = (*gate)(nil)
	_ http.Hijacker       = (*gate)(nil)
)
