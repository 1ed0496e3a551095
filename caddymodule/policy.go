package caddymodule

import (
	"net/http"
	"strings"
)

// The policy: which requests may pay, and which answers are paid for. Pure
// functions of the request and the status, so that a table can test them.

// intent is what a request for a priced page asks for.
type intent uint8

const (
	// mayPay: a view by somebody, or something, that can mean to pay.
	mayPay intent = iota
	// holdFirst: a method with side effects, whose price is set aside before
	// the upstream acts.
	holdFirst
	// neverPays: HEAD, prefetch, prerender. It reads what is paid for already
	// and gets a 402 otherwise.
	neverPays
	// preflight: a browser asking whether it may ask, without credentials.
	preflight
)

// intentOf classifies a request. A browser says with Sec-Purpose, or with the
// older Purpose and X-Moz, that nobody has asked for the page yet.
func intentOf(r *http.Request) intent {
	switch {
	case r.Method == http.MethodOptions && r.Header.Get("Origin") != "" &&
		r.Header.Get("Access-Control-Request-Method") != "":
		return preflight
	case r.Method == http.MethodHead || speculative(r.Header):
		return neverPays
	case r.Method == http.MethodGet:
		return mayPay
	}
	return holdFirst
}

func speculative(h http.Header) bool {
	for _, name := range [...]string{"Sec-Purpose", "Purpose", "X-Moz"} { // canonical, so that Get need not make them so
		if said := h[name]; len(said) > 0 && strings.Contains(strings.ToLower(said[0]), "prefetch") {
			return true
		}
	}
	return false
}

// navigation reports whether a browser loads the page as a document for the
// reader to see, or is not saying (an older one, or no browser). An image, a
// frame or a script's fetch takes no visit of a pass, and neither does another
// site that sends the reader here without a click: the reader might not know.
// Browsers that do not say where a page goes say Origin for a script's fetch
// from elsewhere, and for no link.
func navigation(h http.Header) bool {
	if to := h.Get("Sec-Fetch-Dest"); to != "" && to != "document" || h.Get("Origin") != "" {
		return false
	}
	return h.Get("Sec-Fetch-Site") != "cross-site" || h.Get("Sec-Fetch-User") == "?1"
}

// earlyData reports whether the request came before the TLS handshake was
// complete (here, or at a proxy that says so: RFC 8470 §5.1), so that somebody
// could have replayed it. Such a request may read, but not pay.
func earlyData(r *http.Request) bool {
	return r.TLS != nil && !r.TLS.HandshakeComplete || r.Header.Get("Early-Data") == "1"
}

// delivery is what an answer means for the money.
type delivery uint8

const (
	delivered    delivery = iota // what was paid for is leaving
	undelivered                  // it is not: nobody pays
	undetermined                 // a 304: the reader has it already, or not yet
)

// deliveryOf judges a final status. 204 and 205 carry nothing.
func deliveryOf(status int) delivery {
	switch {
	case status == http.StatusNoContent || status == http.StatusResetContent:
		return undelivered
	case status == http.StatusSwitchingProtocols, status >= 200 && status < 300:
		return delivered
	case status == http.StatusNotModified:
		return undetermined
	}
	return undelivered
}
