package caddymodule

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// forgeries are spellings of the fields that an upstream trusts.
var forgeries = []string{
	"Paywall-Wallet", "paywall-wallet", "PAYWALL-CHARGE", "paywall_wallet", "Paywall_Charge", "paywall.price", "Paywall-Wallet_Id",
	"Paywall-Wallet.Id", "Paywall_Wallet.Id", "Paywall~Wallet", "Paywall!Wallet", "Paywall#Wallet", "Paywall$Wallet", "Paywall%Wallet",
	"Paywall&Wallet", "Paywall'Wallet", "Paywall*Wallet", "Paywall+Wallet", "Paywall^Wallet", "Paywall`Wallet", "Paywall|Wallet",
	"Paywall-Price", "Paywall-Anything",
}

// seen is what an upstream gets of a request.
type seen struct{ Header, Trailer http.Header }

// mirror is an upstream that answers what it gets, as JSON.
func mirror(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // trailers come after it
	_ = json.NewEncoder(w).Encode(seen{r.Header, r.Trailer})
}

// mirrors are directives that pass everything on to a mirror: by HTTP, and by
// FastCGI, which knows no hyphen, as to PHP.
func mirrors(t *testing.T) map[string]string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(mirror))
	t.Cleanup(web.Close)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() { _ = fcgi.Serve(listener, http.HandlerFunc(mirror)) }() // ends with the listener
	return map[string]string{
		"HTTP":    "reverse_proxy " + web.Listener.Addr().String(),
		"FastCGI": "reverse_proxy " + listener.Addr().String() + " {\ntransport fastcgi\n}",
	}
}

// keepingServers are the options of servers under which a forged name comes
// further than it does by default.
var keepingServers = map[string]string{
	"as usual":             "protocols h1 h2c",
	"keeping underscores":  "protocols h1 h2c\nexpected_underscore_headers paywall_*",
	"keeping dots":         "protocols h1 h2c\nexpected_dot_headers paywall.*",
	"keeping one spelling": "protocols h1 h2c\nexpected_underscore_headers paywall_wallet\nexpected_dot_headers paywall.price",
}

// The attack: a client tells the upstream whose wallet it is, or what it has
// paid, in any spelling that a server may take for the paywall's own.
func TestAttackForgedFieldsForTheUpstream(t *testing.T) {
	for upstream, directive := range mirrors(t) {
		for kept, options := range keepingServers {
			t.Run(upstream+" "+kept, func(t *testing.T) {
				s := startSiteWith(t, "servers {\n"+options+"\n}", "paywall /articles/* 0.10\n"+directive)
				m := s.machine("1.00")
				for name, v := range map[string]*visitor{"h1": m, "h2": m.overHTTP2(), "a stranger": s.stranger()} {
					for _, target := range []string{"GET /articles/1", "POST /articles/2", "GET /free", "POST /free", "OPTIONS /articles/1"} {
						method, path, _ := strings.Cut(target, " ")
						if v.header.Get("Authorization") == "" && path != "/free" {
							continue
						}
						got := v.forging(method, path)
						if got != nil {
							wantsNoForgery(t, fmt.Sprintf("%s: %s", name, target), *got, path == "/free")
						}
					}
				}
			})
		}
	}
}

// forging sends a request with every forgery, and returns what the upstream
// got; nil: it did not get it, or may not say.
func (v *visitor) forging(method, path string) *seen {
	v.Helper()
	r, err := http.NewRequest(method, v.url+path, http.NoBody)
	if err != nil {
		v.Fatal(err)
	}
	r.Header = v.header.Clone()
	for _, name := range forgeries {
		r.Header[name] = []string{"forged"}
	}
	if method == http.MethodOptions {
		r.Header.Set("Origin", "https://a.example")
		r.Header.Set("Access-Control-Request-Method", "GET")
	}
	answer := v.send(r)
	if answer.StatusCode != http.StatusOK {
		v.Errorf("%s %s answers %d", method, path, answer.StatusCode)
	}
	for name, values := range answer.Header {
		if slices.Contains(values, "forged") || name == upstreamWallet || name == upstreamCharge {
			v.Errorf("%s %s answers %s: %q", method, path, name, values)
		}
	}
	if method == http.MethodOptions {
		return nil
	}
	got := new(seen)
	v.decode([]byte(answer.body), got)
	return got
}

// wantsNoForgery fails if the upstream got something that a client forged, or
// on a free page anything at all under a name of ours.
func wantsNoForgery(t *testing.T, asked string, got seen, free bool) {
	t.Helper()
	for _, fields := range []http.Header{got.Header, got.Trailer} {
		for name, values := range fields {
			if strings.Contains(strings.Join(values, " "), "forged") || free && folded(name) {
				t.Errorf("%s: the upstream gets %s: %q", asked, name, values)
			}
		}
	}
}

// folded reports whether CGI, WSGI or PHP could pass a field as HTTP_PAYWALL_*:
// what is no letter and no digit becomes an underscore.
func folded(name string) bool {
	variable := strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			return c
		}
		return '_'
	}, strings.ToUpper(name))
	return strings.HasPrefix(variable, "PAYWALL_")
}

// The attack: a client has the proxy drop what the paywall tells the upstream,
// by naming it as hop-by-hop.
func TestAttackHopByHopFields(t *testing.T) {
	listed := make(chan []string, 1)
	s := startSite(t, "paywall /articles/* 0.10\n"+upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		listed <- slices.Clone(r.Header["Connection"])
		return nil
	}))
	m := s.machine("1.00")
	host := strings.TrimPrefix(s.url, "http://")
	for _, path := range []string{"/articles/1", "/free"} {
		exchange(t, host, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\nAuthorization: "+m.header.Get("Authorization")+
			"\r\nConnection: paywall-wallet, close,Paywall-Charge\r\nConnection: Paywall_Price\r\nConnection: X-Other\r\n\r\n")
		if got := <-listed; !slices.Equal(got, []string{"close", "", "X-Other"}) {
			t.Errorf("%s: what a proxy must drop is %q", path, got)
		}
	}
}

// The attack: a client says after the body what it may not say before it.
func TestAttackTrailersForTheUpstream(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.10\n"+mirrors(t)["HTTP"])
	m := s.machine("1.00")
	host := strings.TrimPrefix(s.url, "http://")
	for _, path := range []string{"/articles/2", "/free"} {
		for _, method := range []string{"POST", "GET"} {
			raw := exchange(t, host, method+" "+path+" HTTP/1.1\r\nHost: "+host+"\r\nAuthorization: "+m.header.Get("Authorization")+
				"\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Fine, Paywall-Wallet, paywall_price\r\n\r\n"+
				"3\r\nabc\r\n0\r\nX-Fine: fine\r\nPaywall-Wallet: forged\r\nPaywall-Charge: forged\r\npaywall_price: forged\r\n\r\n")
			if !strings.Contains(raw, "200 OK") || strings.Contains(raw, "forged") || !strings.Contains(raw, `"fine"`) {
				t.Errorf("%s %s: the upstream gets\n%s", method, path, raw)
			}
		}
	}
}

// What the upstream is told is so, whatever the client would have a proxy drop:
// the ledger's charge has the id that was said beforehand.
func TestTheUpstreamIsToldWhoReadsAndWhatTheLedgerWillSay(t *testing.T) {
	for name, directive := range mirrors(t) {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, "paywall /articles/* 0.10\n"+directive)
			m := s.machine("1.00")
			hostile := m.with("Connection", "Paywall-Wallet, Paywall-Charge, paywall-price").with(upstreamWallet, "forged")
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				path := "/articles/" + method
				var told, again seen
				m.decode([]byte(hostile.do(method, path, "", "").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD").body), &told)
				var list entriesJSON
				m.decode([]byte(m.get("/.paywall/wallet/entries").body), &list)
				if charge := told.Header.Get(upstreamCharge); charge == "" || charge != list.Entries[0].ID.String() || list.Entries[0].Path != path {
					t.Errorf("%s: the upstream is told of the charge %q, and the ledger has %+v", method, charge, list.Entries[0])
				}
				if told.Header.Get(upstreamWallet) != m.id() || told.Header.Get(upstreamPrice) != "0.10 USD" {
					t.Errorf("%s: the upstream is told %v", method, told.Header)
				}
				m.decode([]byte(hostile.do(method, path, "", "").wants(http.StatusOK).wantsHeader("Paywall-Charged", "").body), &again)
				if h := again.Header; h.Get(upstreamWallet) != m.id() || h.Get(upstreamCharge) != "" || h.Get(upstreamPrice) != "" {
					t.Errorf("%s: of what is paid for the upstream is told %v", method, h)
				}
			}
			var free seen
			m.decode([]byte(hostile.get("/free").wants(http.StatusOK).body), &free)
			wantsNoForgery(t, "of a free page", free, true)
		})
	}
}
