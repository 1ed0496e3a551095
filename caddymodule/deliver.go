package caddymodule

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// settlement is what a sale does at the commit point, given the final status
// and the header about to leave, which it may change. It returns nil to let the
// answer leave, or writes what is sent instead.
type settlement func(status int, header http.Header) (instead func(http.ResponseWriter))

// read lets the request through to what is paid for already: nothing refuses
// the answer any more.
func (s *sale) read(w http.ResponseWriter, next caddyhttp.Handler, settle settlement) (err error) {
	s.introduce("")
	g := newOpenGate(w, func(status int, header http.Header) func(http.ResponseWriter) {
		keepPrivate(header)
		return settle(status, header)
	})
	defer func() {
		if !g.committed {
			settle(statusOf(err), w.Header())
		}
	}()
	return next.ServeHTTP(g, s.r)
}

// deliver lets the request through to the upstream, behind the gate. What the
// gate has not settled when the upstream is done is settled as not delivered.
func (s *sale) deliver(w http.ResponseWriter, next caddyhttp.Handler, settle settlement) (err error) {
	s.charge = s.app.newID()
	s.introduce(s.forecast())
	ctx, cancel := context.WithCancel(s.r.Context()) // which ends when the server has its answer, so that cancel need not
	g := newGate(w, func(status int, header http.Header) func(http.ResponseWriter) {
		keepPrivate(header)
		instead := settle(status, header)
		if instead != nil {
			cancel() // the upstream works for nobody
		}
		return instead
	})
	defer func() {
		failure := recover()
		if !g.committed {
			settle(statusOf(err), w.Header())
		} else if s.paid && (failure != nil || err != nil) && g.brokenOff() && s.r.Context().Err() == nil {
			s.refund()
		}
		s.letGo()
		if g.refused {
			g.dropTrailers()
			err = nil // the client has its answer; how the upstream takes it is nobody's business
			if failure == any(http.ErrAbortHandler) {
				return
			}
		}
		if failure != nil {
			panic(failure)
		}
	}()
	return next.ServeHTTP(g, s.r.WithContext(ctx))
}

// introduce hides the credentials from the upstream, and tells it who reads
// and, where there is a charge, its id and what it costs.
func (s *sale) introduce(price string) {
	hide(s.r, s.cred)
	reader, charge := "", ""
	if s.wallet != (wallet.WalletID{}) {
		reader = s.wallet.String()
	}
	if s.charge != (wallet.OpID{}) {
		charge = s.charge.String()
	}
	tellUpstream(s.r.Header, reader, charge, price)
}

// forecast is the price that this view will cost; empty where it takes a visit.
func (s *sale) forecast() string {
	if s.standing.Visits > 0 && s.hold == (wallet.OpID{}) {
		return ""
	}
	return s.price
}

// statusOf is the status that an upstream's error leads to: some handlers
// return a 404 instead of writing it. An upstream that neither wrote nor failed
// has delivered nothing.
func statusOf(err error) int {
	var failed caddyhttp.HandlerError
	if errors.As(err, &failed) && failed.StatusCode != 0 {
		return failed.StatusCode
	}
	return http.StatusInternalServerError
}

// keepPrivate keeps shared caches from serving a paid page to everybody. The
// new field comes last: a map of eight, which this often makes it, grows at the
// next assignment even of a key that it has.
func keepPrivate(header http.Header) {
	exposeOurs(header) // to the scripts that the site lets read the page
	if !varies(header, "Authorization") && !varies(header, "Cookie") {
		header["Vary"] = append(header["Vary"], "Authorization, Cookie")
	} else {
		addVary(header, "Authorization", "Cookie")
	}
	header["Cache-Control"] = []string{privately(header.Get("Cache-Control"))}
}

// privately leaves a stricter upstream its word.
func privately(upstream string) string {
	if upstream != "" && strings.Contains(strings.ToLower(upstream), "no-store") {
		return "private, no-store"
	}
	return "private"
}
