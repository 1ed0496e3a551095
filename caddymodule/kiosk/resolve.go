package kiosk

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// What a Resolve comes to.
const (
	Captured = "captured"
	Released = "released"
	Expired  = "expired"
)

// Capture takes the money of a granted tap: the product has been handed out. Again it
// changes nothing. Expired where the money has gone back meanwhile. ErrCode.
func (c *Cashier) Capture(ctx context.Context, k Kiosk, r wire.Resolve) (wire.Resolved, error) {
	g, err := c.openGrant(r.Grant, k.Name)
	if err != nil {
		return wire.Resolved{}, err
	}
	return c.capture(ctx, k, g)
}

func (c *Cashier) capture(ctx context.Context, k Kiosk, g grant) (wire.Resolved, error) {
	id, err := c.resolving(g, Captured)
	if err != nil {
		return wire.Resolved{}, err
	}
	receipt, err := c.Ledger.Capture(ctx, wallet.Capture{
		ID: id, Wallet: g.Wallet, Hold: g.Hold, Amount: g.Amount, Rule: "kiosk/" + g.Product,
	})
	if err != nil {
		return wire.Resolved{}, err
	}
	return c.resolved(k, g, Captured, receipt), nil
}

// Release gives the money of a granted tap back: the product was not handed out. Again it
// changes nothing. ErrCode.
func (c *Cashier) Release(ctx context.Context, k Kiosk, r wire.Resolve) (wire.Resolved, error) {
	g, err := c.openGrant(r.Grant, k.Name)
	if err != nil {
		return wire.Resolved{}, err
	}
	id, err := c.resolving(g, Released)
	if err != nil {
		return wire.Resolved{}, err
	}
	receipt, err := c.Ledger.Release(ctx, wallet.Release{ID: id, Wallet: g.Wallet, Hold: g.Hold})
	if err != nil {
		return wire.Resolved{}, err
	}
	if receipt.Outcome.Done() {
		if err := c.undo(ctx, g.Card, g.Tap, g.Amount); err != nil {
			return wire.Resolved{}, err
		}
	}
	return c.resolved(k, g, Released, receipt), nil
}

// resolving is the id of what ends a grant. It is of the tap's time where that is recent, so
// that sending it again is the same; a kiosk that was cut off for longer finds its hold
// expired by then, and needs no memory of it.
func (c *Cashier) resolving(g grant, how string) (wallet.OpID, error) {
	if c.Now().Sub(g.Tap.Time()) < wallet.ChargeMemory {
		return g.Tap.Derive([]byte(how)), nil
	}
	return c.newID()
}

func (c *Cashier) resolved(k Kiosk, g grant, how string, receipt wallet.Receipt) wire.Resolved {
	r := wire.Resolved{Outcome: how, Amount: c.Currency.Format(g.Amount)}
	if !receipt.Outcome.Done() { // captured, released or expired before, or so long ago that nobody knows
		r = wire.Resolved{Outcome: Expired, Amount: c.Currency.Format(0)}
	}
	c.Notes.pulses.ended(g.Tap)
	if receipt.Outcome != wallet.Replayed {
		c.noteEnd(k, g.Product, r.Outcome)
	}
	return r
}
