package caddymodule

import (
	"io"
	"net/http"
	"net/textproto"
	"strings"
)

// The header fields that tell an upstream of the sale, on requests for priced
// pages. An upstream can trust them: what a client sends under these names, or
// under one that some server takes for them, does not reach it.
const (
	upstreamWallet = "Paywall-Wallet" // the wallet's id, a pseudonym
	upstreamCharge = "Paywall-Charge" // the id that the charge for this answer will have, if it is made
	upstreamPrice  = "Paywall-Price"  // what the answer will cost, such as "0.10 USD"
)

// tellUpstream says in a request's header whose it is and what it will cost.
// What is empty is not said: of a page that is paid for already only the wallet
// is. hide comes before it.
func tellUpstream(h http.Header, wallet, charge, price string) {
	for _, said := range [...]struct{ name, value string }{
		{upstreamWallet, wallet}, {upstreamCharge, charge}, {upstreamPrice, price},
	} {
		if said.value != "" {
			h[said.name] = []string{said.value}
		}
	}
}

// reserved reports whether a header field's name is one that only the paywall
// may say, or one that a server takes for it: CGI turns a hyphen into an
// underscore, and some servers turn every other sign into one too. Caddy drops
// names with an underscore or a dot, unless it is configured to keep them.
func reserved(name string) bool {
	const ours = "paywall"
	if len(name) <= len(ours) || !strings.EqualFold(name[:len(ours)], ours) {
		return false
	}
	next := name[len(ours)]
	letter := 'a' <= next|0x20 && next|0x20 <= 'z'
	digit := '0' <= next && next <= '9'
	return !letter && !digit
}

// dropReserved removes what only the paywall may say from a request's header,
// and from the list of the fields that a proxy must not pass on (RFC 9110
// §7.6.1): a client that lists ours there would have the upstream not hear it.
func dropReserved(h http.Header) {
	for name := range h {
		if reserved(name) {
			delete(h, name)
		}
	}
	for i, line := range h["Connection"] {
		if strings.Contains(strings.ToLower(line), "paywall") {
			h["Connection"][i] = withoutReserved(line)
		}
	}
}

// withoutReserved is a list of field names without those that are reserved.
func withoutReserved(list string) string {
	var kept []string
	for name := range strings.SplitSeq(list, ",") {
		if name = textproto.TrimString(name); name != "" && !reserved(name) {
			kept = append(kept, name)
		}
	}
	return strings.Join(kept, ", ")
}

// dropReservedTrailers does the same for the fields that follow a body. Which
// they are is known when the body has been read: net/http adds what was not
// announced to what was.
func dropReservedTrailers(r *http.Request) {
	if r.Trailer == nil {
		return
	}
	dropReserved(r.Trailer)
	if _, done := r.Body.(trailed); !done {
		r.Body = trailed{r.Body, r.Trailer}
	}
}

// trailed is a body after which reserved trailers are dropped.
type trailed struct {
	io.ReadCloser
	trailer http.Header
}

func (t trailed) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil {
		dropReserved(t.trailer)
	}
	return n, err
}
