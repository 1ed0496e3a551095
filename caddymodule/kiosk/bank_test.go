package kiosk

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// banked is a bank card that a kiosk has checked.
func banked(last byte) wire.Card { return wire.Card{Bank: true, Token: [32]byte{31: last}} }

// takesBankCards has a shop take them.
func (s *shop) takesBankCards() *shop {
	s.Limits = map[Tier]Limits{TierUID: DefaultLimits[TierUID], TierEMV: {Tap: wallet.Unit, Day: 3 * wallet.Unit}}
	return s
}

func TestABankCardPaysFromItsWallet(t *testing.T) {
	s := open(t).takesBankCards()
	m, h, other := s.enrol("machine"), s.holder(10*wallet.Unit), s.holder(10*wallet.Unit)
	one := h.claims(m, banked(1))
	other.claims(m, banked(2))
	if one.Tier != TierEMV {
		t.Errorf("it has proved %v", one.Tier)
	}
	for range 3 {
		m.resolve(wire.CapturePath, m.wants(m.tap("coffee", banked(1)), wire.Granted, ""), Captured)
		s.clock.Advance(s.Guard)
	}
	m.wants(m.tap("coffee", banked(1)), wire.Refused, wire.TierLimit)
	h.has(7*wallet.Unit, 0)
	other.has(10*wallet.Unit, 0)
	s.Products["wine"] = Product{Price: 2 * wallet.Unit}
	m.wants(m.tap("wine", banked(2)), wire.Refused, wire.TierLimit)
}

// An operator who has not said so takes no bank cards, not even to be claimed; one kiosk may.
func TestBankCardsAreTakenOnlyWhereTheOperatorSaysSo(t *testing.T) {
	s := open(t)
	s.Terms = map[string]Terms{"desk": {Limits: map[Tier]Limits{TierEMV: {Tap: wallet.Unit, Day: wallet.Unit}}}}
	m, desk, h := s.enrol("machine"), s.enrol("desk"), s.holder(10*wallet.Unit)
	m.wants(m.tap("coffee", banked(1)), wire.Refused, wire.NotTaken)
	h.claims(desk, banked(1))
	m.wants(m.tap("coffee", banked(1)), wire.Refused, wire.NotTaken)
	desk.wants(desk.tap("gate", banked(1)), wire.Granted, "")
}

// The attack: a stolen kiosk says the tokens of all bank cards that it has seen, as often as
// it likes: the kiosk alone has checked them. It gets what a card may spend in a day, and
// nothing once it is disabled.
func TestAStolenKioskSpendsNoMoreThanADayOfTheBankCardsItHasSeen(t *testing.T) {
	s := open(t).takesBankCards()
	m, h := s.enrol("machine"), s.holder(100*wallet.Unit)
	h.claims(m, banked(1))
	taken := wallet.Amount(0)
	for range 20 {
		tap := m.newTap("coffee", banked(1))
		tap.Again = true
		if v := m.send(tap); v.Outcome == wire.Granted {
			m.resolve(wire.CapturePath, v, Captured)
			taken += wallet.Unit
		}
	}
	if taken != 3*wallet.Unit {
		t.Errorf("it takes %v", taken)
	}
	if err := s.Disable(t.Context(), "machine", true); err != nil {
		t.Fatal(err)
	}
	r, token := m.request(wire.TapPath, m.newTap("coffee", banked(1)))
	if _, err := s.Authenticate(t.Context(), token, r); err == nil {
		t.Error("it goes on")
	}
}

// The attack: a stolen ledger shows tokens, which somebody who has a kiosk could say.
func TestTheLedgerHasNoTokenOfABankCard(t *testing.T) {
	s := open(t).takesBankCards()
	m, h := s.enrol("machine"), s.holder(5*wallet.Unit)
	shown := wire.Card{Bank: true, Token: [32]byte([]byte("a token of thirty-two bytes, all"))}
	h.claims(m, shown)
	m.wants(m.tap("coffee", shown), wire.Granted, "")
	if err := s.each(t.Context(), "", func(r wallet.Register) error {
		for _, form := range []string{"a token of", hex.EncodeToString(shown.Token[:]), "YSB0b2tlbi"} {
			if strings.Contains(strings.ToLower(r.Name+r.Value), strings.ToLower(form)) {
				t.Errorf("register %s has the token", r.Name)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
