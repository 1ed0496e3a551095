package kiosk

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// shop is a cashier with a ledger and a clock.
type shop struct {
	*testing.T
	*Cashier
	clock *ledgertest.Clock
}

func open(t *testing.T) *shop {
	t.Helper()
	clock := ledgertest.NewClock(time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC))
	secret, err := wallet.NewSecret(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	currency, err := wallet.ParseCurrency("USD")
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t, &Cashier{
		Ledger:   ledgertest.NewModel(clock.Now),
		Keys:     Keys{Codes: secret.Derive("kiosk"), PINs: secret.Derive("pin"), UIDs: make([]byte, 32), Cards: card.Key{1}, Seal: seal, Handles: make([]byte, 32)},
		Products: map[string]Product{"coffee": {Title: "A coffee", Price: wallet.Unit}, "gate": {Title: "The gate", Price: wallet.Unit / 10}},
		Limits:   DefaultLimits, Currency: currency, Hold: 30 * time.Second, Guard: 3 * time.Second,
		Now: clock.Now, Random: rand.Reader, Notes: new(Notes),
	}, clock}
	t.Cleanup(func() { ledgertest.AssertConserved(t, s.Ledger) })
	return s
}

// machine is a kiosk: it has the key.
type machine struct {
	*shop
	key      ed25519.PrivateKey
	name     string
	sequence uint64
}

func (s *shop) enrol(name string) *machine { s.Helper(); return s.enrolAs(name, false) }

func (s *shop) enrolAs(name string, issuer bool) *machine {
	s.Helper()
	code, _, err := s.NewCode(s.Context(), name, issuer)
	if err != nil {
		s.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	got, err := s.Enrol(s.Context(), wire.Enrol{Code: code.String(), Key: public})
	if err != nil || got.Kiosk != name {
		s.Fatalf("enrolling %s: %v, %v", name, got, err)
	}
	return &machine{shop: s, key: private, name: name}
}

// request makes a request with the next sequence, and its token.
func (m *machine) request(path string, body any) (wire.Request, string) {
	m.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		m.Fatal(err)
	}
	m.sequence++
	r := wire.Request{Kiosk: m.name, Site: "shop.example", Path: path, Body: text, Sequence: m.sequence}
	token, err := r.Sign(m.key, m.clock.Now())
	if err != nil {
		m.Fatal(err)
	}
	return r, token
}

func (m *machine) authenticated(path string, body any) Kiosk {
	m.Helper()
	r, token := m.request(path, body)
	k, err := m.Authenticate(m.Context(), token, r)
	if err != nil {
		m.Fatalf("%s: %v", path, err)
	}
	return k
}

func (m *machine) newTap(product string, shown wire.Card) wire.Tap {
	m.Helper()
	p, _, _ := m.product(product)
	return wire.Tap{ID: ledgertest.NewID(m, m.clock.Now), Product: product, Card: shown, Price: p.Price}
}

func (m *machine) send(t wire.Tap) wire.Verdict {
	m.Helper()
	v, err := m.Tap(m.Context(), m.authenticated(wire.TapPath, t), t)
	if err != nil {
		m.Fatalf("a tap: %v", err)
	}
	return v
}

func (m *machine) tap(product string, shown wire.Card) wire.Verdict {
	m.Helper()
	return m.send(m.newTap(product, shown))
}

// wants checks a verdict.
func (m *machine) wants(v wire.Verdict, outcome wire.Outcome, reason wire.Reason) wire.Verdict {
	m.Helper()
	if v.Outcome != outcome || v.Reason != reason || (v.Grant != "") != (outcome == wire.Granted) || (v.Claim != "") != (outcome == wire.Unknown) {
		m.Fatalf("the verdict is %+v, want %s %s", v, outcome, reason)
	}
	return v
}

func (m *machine) resolve(path string, v wire.Verdict, want string) {
	m.Helper()
	r := wire.Resolve{Grant: v.Grant}
	k := m.authenticated(path, r)
	do := m.Capture
	if path == wire.ReleasePath {
		do = m.Release
	}
	if got, err := do(m.Context(), k, r); err != nil || got.Outcome != want {
		m.Errorf("%s comes to %+v, %v, want %s", path, got, err, want)
	}
}

// holder is a wallet whose cards tap.
type holder struct {
	*shop
	id wallet.WalletID
}

func (s *shop) holder(amount wallet.Amount) *holder {
	s.Helper()
	return &holder{s, ledgertest.NewWallet(s, s.Ledger, s.clock.Now, amount)}
}

func (h *holder) wallet() wallet.Wallet {
	h.Helper()
	w, err := h.Ledger.Wallet(context.Background(), h.id)
	if err != nil {
		h.Fatal(err)
	}
	return w
}

func (h *holder) has(available, held wallet.Amount) {
	h.Helper()
	if w := h.wallet(); w.Available != available || w.Held != held {
		h.Errorf("the wallet has %v and holds %v, want %v and %v", w.Available, w.Held, available, held)
	}
}

// claims makes a card that a kiosk has not known the holder's.
func (h *holder) claims(m *machine, shown wire.Card) Card {
	h.Helper()
	v := m.wants(m.tap("gate", shown), wire.Unknown, "")
	one, err := h.AddCard(h.Context(), h.wallet(), v.Claim, "mine")
	if err != nil {
		h.Fatal(err)
	}
	return one
}

// numbered is a card that proves nothing.
func numbered(t *testing.T, last byte) wire.Card {
	t.Helper()
	number, err := uid.New([]byte{0x04, 1, 2, 3, 4, 5, last})
	if err != nil {
		t.Fatal(err)
	}
	return wire.Card{UID: number}
}

// ntag is a card that signs, personalised by the shop.
func (s *shop) ntag(last byte) *virtual.NTAG {
	number := card.UID{0x04, 1, 2, 3, 4, 5, last}
	return virtual.NewNTAG(number, card.Bolt(s.Keys.Cards, number, keyVersion).Keys, "https://shop.example/?")
}

func message(n *virtual.NTAG) wire.Card {
	picc, mac := n.SUN()
	return wire.Card{SUN: true, PICC: picc, MAC: mac}
}

func TestATapIsPaidWhenTheKioskHasDoneItsPart(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(5*wallet.Unit)
	shown := numbered(t, 1)
	h.claims(m, shown)
	v := m.wants(m.tap("coffee", shown), wire.Granted, "")
	h.has(4*wallet.Unit, wallet.Unit)
	m.resolve(wire.CapturePath, v, Captured)
	m.resolve(wire.CapturePath, v, Captured) // the answer was lost
	h.has(4*wallet.Unit, 0)
	s.clock.Advance(time.Minute)
	v = m.wants(m.tap("coffee", shown), wire.Granted, "")
	m.resolve(wire.ReleasePath, v, Released)
	m.resolve(wire.ReleasePath, v, Released)
	m.resolve(wire.CapturePath, v, Expired)
	h.has(4*wallet.Unit, 0)
}

// A tap is one tap however often it is sent (invariant 3).
func TestATapThatIsSentAgainIsTheSame(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(5*wallet.Unit)
	n := s.ntag(1)
	h.claims(m, message(n))
	tap := m.newTap("coffee", message(n))
	first := m.wants(m.send(tap), wire.Granted, "")
	for range 3 {
		s.clock.Advance(time.Second)
		again := m.wants(m.send(tap), wire.Granted, "")
		if again.Expires != first.Expires {
			t.Error("it is granted for longer")
		}
	}
	h.has(4*wallet.Unit, wallet.Unit)
	m.resolve(wire.CapturePath, first, Captured)
	m.resolve(wire.CapturePath, m.wants(m.send(tap), wire.Granted, ""), Captured)
	h.has(4*wallet.Unit, 0)
	if cards, err := s.Cards(t.Context(), h.id); err != nil || len(cards) != 1 || cards[0].Spent != wallet.Unit {
		t.Errorf("the card has spent %+v, %v", cards, err)
	}
	other := tap
	other.Product, other.Price = "gate", "0.10"
	if _, err := s.Tap(t.Context(), m.authenticated(wire.TapPath, other), other); !errors.Is(err, ErrInvalid) {
		t.Errorf("another tap of the same id: %v", err)
	}
}

// What nobody captures goes back by itself: nobody pays for what was not handed out.
func TestWhatIsNotCapturedGoesBack(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(5*wallet.Unit)
	shown := numbered(t, 1)
	h.claims(m, shown)
	v := m.wants(m.tap("coffee", shown), wire.Granted, "")
	s.clock.Advance(s.Hold)
	h.has(5*wallet.Unit, 0)
	m.resolve(wire.CapturePath, v, Expired)
	s.clock.Advance(2 * time.Hour)
	m.resolve(wire.CapturePath, v, Expired)
	m.resolve(wire.ReleasePath, v, Expired)
	h.has(5*wallet.Unit, 0)
}

func TestAShortWalletPaysNothingAndMayTryAgain(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(wallet.Unit/2)
	n := s.ntag(1)
	h.claims(m, message(n))
	tap := m.newTap("coffee", message(n))
	m.wants(m.send(tap), wire.Refused, wire.NoMoney)
	m.wants(m.send(tap), wire.Refused, wire.NoMoney)
	ledgertest.Fund(t, s.Ledger, s.clock.Now, h.id, wallet.Unit)
	v := m.wants(m.send(tap), wire.Granted, "")
	m.resolve(wire.CapturePath, v, Captured)
	h.has(wallet.Unit/2, 0)
	if cards, err := s.Cards(t.Context(), h.id); err != nil || cards[0].Spent != wallet.Unit {
		t.Errorf("the card has spent %+v, %v", cards, err)
	}
}

// The same card within moments is an impatient tap, unless somebody says otherwise; at
// another kiosk, or for something else, it is another purchase.
func TestAnImpatientTapIsToldFromASecondPurchase(t *testing.T) {
	s := open(t)
	m, other, h := s.enrol("machine"), s.enrol("other"), s.holder(10*wallet.Unit)
	shown := numbered(t, 1)
	h.claims(m, shown)
	m.wants(m.tap("coffee", shown), wire.Granted, "")
	m.wants(m.tap("coffee", shown), wire.Refused, wire.JustPaid)
	m.wants(m.tap("gate", shown), wire.Granted, "")
	other.wants(other.tap("gate", shown), wire.Granted, "")
	meant := m.newTap("coffee", shown)
	meant.Again = true
	v := m.wants(m.send(meant), wire.Granted, "")
	m.resolve(wire.ReleasePath, v, Released)
	m.wants(m.tap("coffee", shown), wire.Granted, "") // the machine was empty
	s.clock.Advance(s.Guard)
	m.wants(m.tap("coffee", shown), wire.Granted, "")
}

func TestTheLimitsOfACardHold(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(100*wallet.Unit)
	s.Products["wine"] = Product{Price: 3 * wallet.Unit}
	plain, n := numbered(t, 1), s.ntag(2)
	h.claims(m, plain)
	signing := h.claims(m, message(n))
	m.wants(m.tap("wine", plain), wire.Refused, wire.TierLimit)
	m.resolve(wire.CapturePath, m.wants(m.tap("wine", message(n)), wire.Granted, ""), Captured)
	for range 10 {
		m.resolve(wire.CapturePath, m.wants(m.tap("coffee", plain), wire.Granted, ""), Captured)
		s.clock.Advance(time.Minute)
	}
	m.wants(m.tap("coffee", plain), wire.Refused, wire.TierLimit)
	s.clock.Advance(12 * time.Hour) // the next day
	m.wants(m.tap("coffee", plain), wire.Granted, "")
	if _, err := s.ChangeCard(t.Context(), h.id, signing.ID, func(one *Card) error {
		one.Own = &Limits{Tap: 2 * wallet.Unit, Day: 2 * wallet.Unit}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	m.wants(m.tap("wine", message(n)), wire.Refused, wire.TapLimit)
	for range 2 {
		m.wants(m.tap("coffee", message(n)), wire.Granted, "")
		s.clock.Advance(time.Minute)
	}
	m.wants(m.tap("gate", message(n)), wire.Refused, wire.DayLimit)
}

// Whoever loses a card blocks it, and it pays nowhere from then on (invariant 8).
func TestABlockedCardPaysNothing(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(5*wallet.Unit)
	shown := numbered(t, 1)
	one := h.claims(m, shown)
	block := func(blocked bool) {
		if _, err := s.ChangeCard(t.Context(), h.id, one.ID, func(c *Card) error { c.Blocked = blocked; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	block(true)
	m.wants(m.tap("gate", shown), wire.Refused, wire.Blocked)
	block(false)
	m.wants(m.tap("gate", shown), wire.Granted, "")
	s.clock.Advance(time.Minute)
	if r, err := s.Ledger.Freeze(t.Context(), wallet.Freeze{ID: ledgertest.NewID(t, s.clock.Now), Wallet: h.id, Frozen: true}); err != nil || !r.Outcome.Done() {
		t.Fatal(r, err)
	}
	m.wants(m.tap("gate", shown), wire.Refused, wire.Frozen)
	if r, err := s.Ledger.Rekey(t.Context(), wallet.Rekey{ID: ledgertest.NewID(t, s.clock.Now), Wallet: h.id, Revoke: true}); err != nil || !r.Outcome.Done() {
		t.Fatal(r, err)
	}
	m.wants(m.tap("gate", shown), wire.Refused, wire.Blocked)
	if err := s.RemoveCard(t.Context(), h.id, one.ID); err != nil {
		t.Fatal(err)
	}
	m.wants(m.tap("gate", shown), wire.Unknown, "")
}
