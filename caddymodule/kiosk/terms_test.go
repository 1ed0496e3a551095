package kiosk

import (
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The operator says what a card must prove for a product, and at a kiosk; whichever asks
// for more counts.
func TestAProductAndAKioskNeedAProof(t *testing.T) {
	s := open(t)
	s.Products["wine"] = Product{Price: wallet.Unit, Proof: TierSUN}
	s.Terms = map[string]Terms{"night": {Proof: TierSUN}}
	day, night, h := s.enrol("day"), s.enrol("night"), s.holder(100*wallet.Unit)
	plain, n := numbered(t, 1), s.ntag(2)
	h.claims(day, plain)
	h.claims(day, message(n))
	day.wants(day.tap("coffee", plain), wire.Granted, "")
	day.wants(day.tap("wine", plain), wire.Refused, wire.ProofNeeded)
	night.wants(night.tap("coffee", plain), wire.Refused, wire.ProofNeeded)
	night.wants(night.tap("wine", message(n)), wire.Granted, "")
	h.has(98*wallet.Unit, 2*wallet.Unit)
}

// What is left in a wallet is nobody's business at a till, unless the operator says so.
func TestAVerdictHasTheBalanceOnlyWhereItIsShown(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(3*wallet.Unit)
	shown := numbered(t, 1)
	h.claims(m, shown)
	if v := m.wants(m.tap("coffee", shown), wire.Granted, ""); v.Balance != "" {
		t.Errorf("a kiosk learns that %s is left", v.Balance)
	}
	s.ShowBalance = true
	s.clock.Advance(s.Guard)
	if v := m.wants(m.tap("coffee", shown), wire.Granted, ""); v.Balance != "1.00" {
		t.Errorf("%q is left, want 1.00", v.Balance)
	}
	s.clock.Advance(s.Guard)
	m.wants(m.tap("coffee", shown), wire.Granted, "")
	if v := m.wants(m.tap("gate", shown), wire.Refused, wire.NoMoney); v.Balance != "" {
		t.Errorf("a kiosk learns how much is missing: %s", v.Balance)
	}
}

// A kiosk's limits stand in for the general ones, lower or higher; the day is everywhere
// the same.
func TestAKioskHasLimitsOfItsOwn(t *testing.T) {
	s := open(t)
	s.Products["wine"] = Product{Price: 3 * wallet.Unit}
	s.Terms = map[string]Terms{
		"cheap": {Limits: map[Tier]Limits{TierUID: {Tap: wallet.Unit / 2, Day: wallet.Unit}}},
		"bar":   {Limits: map[Tier]Limits{TierUID: {Tap: 3 * wallet.Unit, Day: 7 * wallet.Unit}}},
	}
	cheap, bar, other, h := s.enrol("cheap"), s.enrol("bar"), s.enrol("other"), s.holder(100*wallet.Unit)
	plain, n := numbered(t, 1), s.ntag(2)
	h.claims(bar, plain)
	h.claims(bar, message(n))
	cheap.wants(cheap.tap("coffee", plain), wire.Refused, wire.TierLimit)
	cheap.wants(cheap.tap("coffee", message(n)), wire.Granted, "")
	other.wants(other.tap("wine", plain), wire.Refused, wire.TierLimit)
	bar.wants(bar.tap("wine", plain), wire.Granted, "")
	cheap.wants(cheap.tap("gate", plain), wire.Refused, wire.TierLimit) // it has spent more today, elsewhere
	s.clock.Advance(s.Guard)
	bar.wants(bar.tap("wine", plain), wire.Granted, "")
	s.clock.Advance(s.Guard)
	bar.wants(bar.tap("wine", plain), wire.Refused, wire.TierLimit)
	s.clock.Advance(12 * time.Hour)
	cheap.wants(cheap.tap("gate", plain), wire.Granted, "")
}
