package kiosk

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Terms are what the operator wants of the taps at one kiosk, beside what holds at all.
type Terms struct {
	// Proof is the least that a card has to prove here. A product or a card that asks for
	// more still gets more.
	Proof Tier

	// Limits take the place of the cashier's, for the tiers that they have: they may be
	// lower, as at a machine that nobody watches, or higher. What a card has spent today
	// is counted at all kiosks together.
	Limits map[Tier]Limits
}

// need is the least that a card has to prove for a product at a kiosk.
func (c *Cashier) need(kiosk string, product Product) Tier {
	return max(product.Proof, c.Terms[kiosk].Proof)
}

// limits are what a card that has proved as much may cost at a kiosk.
func (c *Cashier) limits(kiosk string, tier Tier) Limits {
	if own, given := c.Terms[kiosk].Limits[tier]; given {
		return own
	}
	return c.Limits[tier]
}

// refuses is why a card may not be used at all for what needs a proof.
func (c *Cashier) refuses(one *Card, p proof, need Tier) wire.Reason {
	switch {
	case !c.verify(p, one.Version):
		return wire.Forged
	case p.tier < max(need, min(one.Tier, TierSUN)): // a number alone may be copied
		return wire.ProofNeeded
	case one.Replaced != "":
		return wire.Replaced
	case one.PINBlocked():
		return wire.PINBlocked
	case one.Blocked || one.Replaces != "":
		return wire.Blocked
	case one.Indebted:
		return wire.NoMoney
	}
	return ""
}

// limited is why a card may not pay a price at a kiosk, now.
func (c *Cashier) limited(one *Card, k Kiosk, t wire.Tap, tier Tier, price wallet.Amount) wire.Reason {
	last := one.Last
	same := last.Tap != t.ID && !last.Undone && last.Kiosk == k.Name && last.Product == t.Product
	limits := c.limits(k.Name, tier)
	switch own := one.Own; {
	case same && !t.Again && c.Now().UnixMilli()-last.Time < c.Guard.Milliseconds():
		return wire.JustPaid
	case price > limits.Tap || one.Spent+price > limits.Day:
		return wire.TierLimit
	case own != nil && price > own.Tap:
		return wire.TapLimit
	case own != nil && one.Spent+price > own.Day:
		return wire.DayLimit
	}
	return ""
}

// today begins a new day for what a card has spent, where one has begun.
func (c *Cashier) today(one *Card) {
	day := c.Now().UTC().Format(time.DateOnly)
	if one.Day == day {
		return
	}
	one.Day, one.Spent = day, 0
	if one.PIN != nil {
		one.PIN.Without = 0
	}
}
