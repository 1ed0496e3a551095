package caddymodule

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// startFaultySite is startSite over the faulty ledger.
func startFaultySite(t *testing.T, directives string) *site {
	t.Helper()
	s := startSite(t, "")
	if err := s.tryLoad("paywall {\nledger test_faulty\n}", directives); err != nil {
		t.Fatal(err)
	}
	return s
}

// raw sends a request with the visitor's token and returns every byte of the
// answer.
func (v *visitor) raw(method, target string) string {
	v.Helper()
	host := strings.TrimPrefix(v.url, "http://")
	return exchange(v.T, host, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\nAuthorization: %s\r\n\r\n",
		method, target, host, v.header.Get("Authorization")))
}

// waysSite serves /articles/* by the delivery that the query names.
func waysSite(t *testing.T) *site {
	return startFaultySite(t, "paywall /articles/* 0.10\n"+upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Secret", "of the page")
		return deliveries[r.URL.Query().Get("way")].serve(w, r)
	}))
}

// within is the site in a subtest.
func (s *site) within(t *testing.T) *site {
	other := *s
	other.T = t
	return &other
}

// wayFor is the address of a page that is delivered in a way.
func wayFor(name string) string { return "/articles/1?way=" + url.QueryEscape(name) }

// breaksOff is the delivery that ends before its answer does.
const breaksOff = "a panic after the header"

// paysFor reports whether a judged status costs money.
func paysFor(status int) bool { return status != 0 && deliveryOf(status) == delivered }

// What leaves has been charged for, once, and what has been charged for can be
// read again (invariants 3 and 4).
func TestEachWayOfDeliveryIsChargedByWhatItDelivers(t *testing.T) {
	s := waysSite(t)
	for name, way := range deliveries {
		t.Run(name, func(t *testing.T) {
			s := s.within(t)
			m := s.machine("1.00")
			raw := m.raw("GET", wayFor(name))
			if !strings.Contains(raw, way.body) {
				t.Errorf("the client gets\n%s", raw)
			}
			if !paysFor(way.asked) {
				m.wantsBalance("1.00")
				return
			}
			if name != "Hijack bare" && !strings.Contains(raw, "Paywall-Charged: 0.10 USD") {
				t.Errorf("the client is not told of the charge:\n%s", raw)
			}
			if name == breaksOff { // told of a charge that has gone back since
				m.wantsBalance("1.00")
				return
			}
			m.wantsBalance("0.90")
			if again := m.raw("GET", wayFor(name)); !strings.Contains(again, way.body) || strings.Contains(again, "Paywall-Charged") {
				t.Errorf("read again:\n%s", again)
			}
			m.wantsBalance("0.90")
		})
	}
}

// The answer to a lost question moves nothing; after a lost answer the page has
// been paid for, and reading it again is free (invariant 6).
func TestALedgerThatDoesNotAnswerAtTheCommitPointLeavesNothing(t *testing.T) {
	s := waysSite(t)
	for name, way := range deliveries {
		for _, f := range []fault{{lost: "charge"}, {unanswered: "charge"}} {
			t.Run(fmt.Sprintf("%s %+v", name, f), func(t *testing.T) {
				s := s.within(t)
				m := s.machine("1.00")
				mend := breakLine(t, f)
				raw := m.raw("GET", wayFor(name))
				mend()
				if !paysFor(way.asked) {
					m.wantsBalance("1.00")
					return
				}
				if !strings.Contains(raw, "HTTP/1.1 503") || !strings.Contains(raw, "Retry-After: 5") ||
					strings.Contains(raw, "SECRET") || strings.Contains(raw, "HTTP/1.1 402") {
					t.Errorf("the client gets\n%s", raw)
				}
				if f.lost != "" {
					m.wantsBalance("1.00")
				} else {
					m.wantsBalance("0.90")
				}
				if again := m.raw("GET", wayFor(name)); !strings.Contains(again, way.body) {
					t.Errorf("read again:\n%s", again)
				}
				if name == breaksOff && f.lost != "" {
					m.wantsBalance("1.00")
				} else {
					m.wantsBalance("0.90")
				}
			})
		}
	}
}

// Two pages asked for at once with the money for one: the second is refused at
// its commit point (invariant 2).
func TestAChargeRefusedAtTheCommitPointLeavesNothing(t *testing.T) {
	var drain func()
	s := startSite(t, "paywall /articles/* 0.10\n"+upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Secret", "of the page")
		if r.URL.Path == "/articles/1" {
			drain()
		}
		return deliveries[r.URL.Query().Get("way")].serve(w, r)
	}))
	for name, way := range deliveries {
		t.Run(name, func(t *testing.T) {
			s := s.within(t)
			m := s.machine("0.10")
			drain = func() { m.raw("GET", "/articles/2?way=Write+alone") }
			raw := m.raw("GET", wayFor(name))
			m.wantsBalance("0.00")
			if !paysFor(way.asked) {
				return
			}
			if !strings.Contains(raw, "HTTP/1.1 402") || strings.Contains(raw, "SECRET") {
				t.Errorf("the client gets\n%s", raw)
			}
			if _, final, _ := strings.Cut(raw, "HTTP/1.1 402"); strings.Contains(final, "Secret:") || !strings.Contains(final, "Paywall-Price: 0.10 USD") {
				t.Errorf("the challenge is\n%s", final)
			}
		})
	}
}

// An operator's freeze between the question and the commit point is in time
// (invariant 8).
func TestAWalletFrozenWhileThePageIsMadeDoesNotPayAndDoesNotRead(t *testing.T) {
	var freeze func()
	s := startSite(t, "paywall /articles/* 0.10\n"+upstreamOf(t, func(w http.ResponseWriter, r *http.Request) error {
		freeze()
		return deliveries["Write alone"].serve(w, r)
	}))
	m := s.machine("1.00")
	freeze = func() { s.operator("wallet", "freeze", m.id()) }
	m.get("/articles/1").wants(http.StatusForbidden).saysNot("SECRET")
	m.wantsBalance("1.00")
}

// id is the visitor's wallet.
func (v *visitor) id() string {
	v.Helper()
	var held walletJSON
	v.decode([]byte(v.with("Accept", "application/json").get("/.paywall/wallet").wants(http.StatusOK).body), &held)
	return held.Wallet
}
