package kiosk

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

const (
	site     = "shop.example"
	openHour = time.Hour
)

// library is a shop whose gate opens pages for an hour, and a card that has tapped there.
func library(t *testing.T) (m *machine, h *holder, v wire.Verdict) {
	s := open(t)
	gate := s.Products["gate"]
	gate.Opens = openHour
	s.Products["gate"] = gate
	m, h = s.enrol("lobby"), s.holder(wallet.Unit)
	shown := numbered(t, 1)
	h.claims(m, shown)
	return m, h, m.wants(m.tap("gate", shown), wire.Granted, "")
}

func (m *machine) asks(v wire.Verdict, over bool) wire.SessionState {
	m.Helper()
	asked := wire.Session{Grant: v.Grant, Over: over}
	state, err := m.AskSession(m.Context(), m.authenticated(wire.SessionPath, asked), asked)
	if err != nil {
		m.Fatal(err)
	}
	return state
}

func (m *machine) begins(v wire.Verdict) (Session, string) {
	m.Helper()
	s, secret, err := m.Begin(m.Context(), wire.BrowserCode(m.name, v.Grant), site, "")
	if err != nil {
		m.Fatal(err)
	}
	return s, secret
}

func (m *machine) isLive(cookie string) bool {
	m.Helper()
	s, err := m.OpenSession(m.Context(), cookie, site)
	if err != nil && !errors.Is(err, wallet.ErrNotFound) {
		m.Fatal(err)
	}
	return err == nil && s.Live(m.clock.Now())
}

func TestABrowserSeesPagesForATapUntilTheTimeIsOver(t *testing.T) {
	m, h, v := library(t)
	if m.asks(v, false).Begun {
		t.Fatal("it has begun before anybody came")
	}
	s, cookie := m.begins(v)
	h.has(wallet.Unit-wallet.Unit/10, 0)
	if state := m.asks(v, true); !state.Begun || state.Ended || !m.isLive(cookie) || s.Product != "gate" {
		t.Errorf("it has begun: %+v", state)
	}
	m.resolve(wire.CapturePath, v, Captured) // what the kiosk owes changes nothing
	h.has(wallet.Unit-wallet.Unit/10, 0)
	m.clock.Advance(openHour)
	if m.isLive(cookie) || !m.asks(v, false).Ended {
		t.Error("it does not end")
	}
}

// Its card has gone, or whoever reads has had enough: which instance hears of it is the same.
func TestASessionEndsAtOnceAtEveryInstance(t *testing.T) {
	m, _, v := library(t)
	elsewhere := *m.Cashier
	elsewhere.Notes = new(Notes)
	s, cookie := m.begins(v)
	gone := wire.Leave{ID: v.ID}
	other := m.shop.enrol("other")
	for _, end := range []struct {
		who  *machine
		live bool
	}{{other, true}, {m, false}, {m, false}} {
		if _, err := elsewhere.Leave(t.Context(), end.who.authenticated(wire.LeavePath, gone), gone); err != nil {
			t.Fatal(err)
		}
		if m.isLive(cookie) != end.live {
			t.Errorf("after %s has said that the card has gone it is live: %v", end.who.name, !end.live)
		}
	}
	if err := errors.Join(m.End(t.Context(), s.ID), m.End(t.Context(), ledgertest.NewID(t, m.clock.Now))); err != nil {
		t.Error(err)
	}
}

// A kiosk whose program has begun anew knows of no card: what its taps have opened ends, and
// nothing of another kiosk's.
func TestAKioskThatBeginsAnewEndsItsSessions(t *testing.T) {
	m, h, v := library(t)
	other := m.shop.enrol("other")
	shown := numbered(t, 2)
	h.claims(other, shown)
	_, mine := m.begins(v)
	_, theirs := other.begins(other.wants(other.tap("gate", shown), wire.Granted, ""))
	all := wire.Leave{}
	for range 2 {
		if _, err := m.Leave(t.Context(), m.authenticated(wire.LeavePath, all), all); err != nil {
			t.Fatal(err)
		}
		if m.isLive(mine) || !other.isLive(theirs) {
			t.Errorf("live: %v, and another kiosk's: %v", m.isLive(mine), other.isLive(theirs))
		}
	}
}

// The attack: a code is taken down and used by a second browser, before and after the first
// has come back, or is another kiosk's, or is old.
func TestACodeIsForOneBrowser(t *testing.T) {
	m, h, v := library(t)
	code := wire.BrowserCode(m.name, v.Grant)
	first, lost := m.begins(v)
	_, cookie := m.begins(v) // the first answer was lost
	if m.isLive(lost) || !m.isLive(cookie) {
		t.Error("the secret of a lost answer is good beside the second")
	}
	if err := m.See(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	m.shop.enrol("other")
	for name, bad := range map[string]string{
		"used": code, "another kiosk's": wire.BrowserCode("other", v.Grant), "nobody's": v.Grant, "nothing": "", "half": code[:len(code)-4],
	} {
		if _, _, err := m.Begin(t.Context(), bad, site, ""); !errors.Is(err, ErrCode) {
			t.Errorf("a code that is %s: %v", name, err)
		}
	}
	if !m.isLive(cookie) {
		t.Error("whoever tries a used code ends the session")
	}
	h.has(wallet.Unit-wallet.Unit/10, 0)
}

// The attack: a cookie is forged, or changed, or sent to another site.
func TestASessionsSecretIsNotGuessed(t *testing.T) {
	m, _, v := library(t)
	s, cookie := m.begins(v)
	id, secret, _ := strings.Cut(cookie, ".")
	for name, forged := range map[string]string{
		"nothing": "", "no secret": id, "an empty secret": id + ".", "no name": "." + secret, "the digest": id + "." + string(s.Secret),
		"another secret": id + "." + secret[:len(secret)-2] + "AA", "much": id + "." + strings.Repeat("A", 5000), "the id": s.ID.String() + "." + secret,
	} {
		if m.isLive(forged) {
			t.Errorf("%s opens the session", name)
		}
	}
	if _, err := m.OpenSession(t.Context(), cookie, "other.example"); !errors.Is(err, wallet.ErrNotFound) {
		t.Errorf("at another site: %v", err)
	}
}

// The attack: a browser uses its code at the instant at which the kiosk gives the money
// back, to read for nothing; or it pays and gets nothing.
func TestOfABrowserAndAKioskAtOnceOneHasItsWay(t *testing.T) {
	for range 20 {
		m, h, v := library(t)
		asked := wire.Session{Grant: v.Grant, Over: true}
		k := m.authenticated(wire.SessionPath, asked)
		var state wire.SessionState
		var cookie string
		var begun, told error
		var both sync.WaitGroup
		both.Go(func() { _, cookie, begun = m.Begin(t.Context(), wire.BrowserCode(m.name, v.Grant), site, "") })
		both.Go(func() { state, told = m.AskSession(t.Context(), k, asked) })
		both.Wait()
		if told != nil || begun != nil && !errors.Is(begun, ErrCode) {
			t.Fatalf("%v, %v", told, begun)
		}
		if live := m.isLive(cookie); live != state.Begun {
			t.Fatalf("it is live: %v; the kiosk thinks it is: %v", live, state.Begun)
		}
		if state.Begun {
			h.has(wallet.Unit-wallet.Unit/10, 0)
		} else {
			h.has(wallet.Unit, 0)
		}
	}
}

func TestAnOldOrUselessCodeBeginsNothing(t *testing.T) {
	m, h, v := library(t)
	if m.asks(v, true).Begun {
		t.Fatal("it has begun")
	}
	h.has(wallet.Unit, 0)
	if _, _, err := m.Begin(t.Context(), wire.BrowserCode(m.name, v.Grant), site, ""); !errors.Is(err, ErrCode) {
		t.Errorf("a code whose money has gone back: %v", err)
	}
	m.clock.Advance(time.Minute)
	v = m.wants(m.tap("gate", numbered(t, 1)), wire.Granted, "")
	if err := m.Disable(t.Context(), m.name, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.Begin(t.Context(), wire.BrowserCode(m.name, v.Grant), site, ""); !errors.Is(err, ErrDisabled) {
		t.Errorf("a code of a kiosk that is disabled: %v", err)
	}
	m.Products["gate"] = Product{Title: "The gate", Price: wallet.Unit / 10}
	if _, err := m.AskSession(t.Context(), Kiosk{Name: m.name}, wire.Session{Grant: v.Grant}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a product that opens nothing: %v", err)
	}
	m.clock.Advance(time.Minute)
	if _, _, err := m.Begin(t.Context(), wire.BrowserCode(m.name, v.Grant), site, ""); !errors.Is(err, ErrCode) {
		t.Errorf("and a browser at it: %v", err)
	}
}

// What is over does not stay in the ledger.
func TestSessionsAreForgotten(t *testing.T) {
	m, _, v := library(t)
	_, old := m.begins(v)
	m.clock.Advance(openHour + sessionKept/2)
	if _, err := m.OpenSession(t.Context(), old, site); err != nil {
		t.Errorf("it is forgotten before its browser has been told: %v", err)
	}
	m.clock.Advance(sessionKept)
	_, fresh := m.begins(m.wants(m.tap("gate", numbered(t, 1)), wire.Granted, ""))
	if _, err := m.OpenSession(t.Context(), old, site); !errors.Is(err, wallet.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
	if !m.isLive(fresh) {
		t.Error("one that is live is forgotten")
	}
}
