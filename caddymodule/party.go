package caddymodule

import (
	"net/http"
	"net/netip"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// party is who an allowance is counted for: an address or a wallet. The zero
// party is nobody in particular, whom nothing limits.
//
// One IPv6 subscriber has a /64 at least, so all of it counts as one. Some have
// a /48 and a few a /32, which is 65 536 and 4 billion times as many: these
// count as well, with 16 and 256 times the allowance of a /64.
type party struct {
	kind partyKind
	id   [16]byte
}

type partyKind byte

const (
	partyNobody  partyKind = iota
	partyUnnamed           // without an address, as behind a Unix socket
	partyIPv4
	partyIPv6
	partyWallet
)

// maxPrefixes is how many prefixes a party can have.
const maxPrefixes = 3

// prefixLengths are in bytes, the narrowest first.
var prefixLengths = [...][]byte{
	partyNobody: {}, partyUnnamed: {0}, partyIPv4: {4}, partyIPv6: {8, 6, 4}, partyWallet: {16},
}

// prefixes is how many the party is counted by.
func (p *party) prefixes() int { return len(prefixLengths[p.kind]) }

// prefix is one of them. None is another of a different kind or length, so that
// their hashes differ.
func (p *party) prefix(i int) []byte {
	length := prefixLengths[p.kind][i]
	var text [2 + len(p.id)]byte
	text[0], text[1] = byte(p.kind), length
	copy(text[2:], p.id[:length])
	return text[:2+length]
}

// everybody is the party of an allowance that all share.
var everybody = party{kind: partyUnnamed}

// partyOf is a wallet.
func partyOf(id wallet.WalletID) party { return party{kind: partyWallet, id: id} }

// partyAt is the party at an address in text form.
func partyAt(address string) party {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return party{kind: partyUnnamed}
	}
	ip = ip.Unmap()
	p := party{kind: partyIPv6}
	if ip.Is4() {
		p.kind = partyIPv4
		four := ip.As4()
		copy(p.id[:], four[:])
		return p
	}
	p.id = ip.As16()
	return p
}

// clientOf is the address of a request's client, as far as Caddy believes the
// proxies in front of it.
func clientOf(r *http.Request) string {
	address, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return address
}

// payer is the party that a request without payment is counted for: its wallet,
// where it has one, so that nobody is limited by what the neighbours behind the
// same address do. This machine itself is nobody: it is the operator, or a
// proxy that Caddy has not been told to believe, and all the world must not
// share one allowance. A proxy that is believed could have been told by its
// client that this machine is who asks.
func payer(r *http.Request, cred *credential) party {
	if cred != nil {
		return partyOf(cred.Wallet)
	}
	address := clientOf(r)
	ip, err := netip.ParseAddr(address)
	believed, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	if err != nil || ip.Unmap().IsLoopback() && !believed {
		return party{}
	}
	return partyAt(address)
}
