package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// AskSession tells a kiosk whether its browser has used a grant. Where the kiosk waits no
// longer, and it has not, the money goes back, and the code is worth nothing: of a browser
// and a kiosk that are at it at once, the ledger lets one have its way. ErrCode; ErrInvalid
// where the product opens nothing.
func (c *Cashier) AskSession(ctx context.Context, k Kiosk, asked wire.Session) (state wire.SessionState, err error) {
	g, err := c.openGrant(asked.Grant, k.Name)
	if err != nil {
		return state, err
	}
	if c.Products[g.Product].Opens == 0 {
		return state, fmt.Errorf("%w: the product %s opens no pages; see opens", ErrInvalid, g.Product)
	}
	s, _, err := load[Session](ctx, c, sessionOf(g.Hold))
	switch {
	case err == nil:
		return wire.SessionState{Begun: true, Ended: !s.Live(c.Now())}, nil
	case !errors.Is(err, wallet.ErrNotFound):
		return state, err
	case !asked.Over:
		return state, nil
	}
	released, err := c.Release(ctx, k, wire.Resolve{Grant: asked.Grant})
	if err != nil || released.Outcome == Released {
		return state, err
	}
	// The browser was first: it has paid, and has its session in a moment.
	taken, err := c.capture(ctx, k, g)
	return wire.SessionState{Begun: taken.Outcome == Captured}, err
}

// Leave ends what the tap of a card has opened in a browser, because the card has gone; or
// what all taps of the kiosk have.
func (c *Cashier) Leave(ctx context.Context, k Kiosk, gone wire.Leave) (struct{}, error) {
	if gone.ID != (wallet.OpID{}) {
		return struct{}{}, c.End(ctx, holdOf(gone.ID, k.Name))
	}
	return struct{}{}, c.each(ctx, sessionPrefix, func(r wallet.Register) error {
		var s Session
		if json.Unmarshal([]byte(r.Value), &s) != nil || s.Kiosk != k.Name || !s.Live(c.Now()) {
			return nil
		}
		id, err := wallet.ParseOpID(strings.TrimPrefix(r.Name, sessionPrefix))
		if err != nil {
			return err
		}
		return c.End(ctx, id)
	})
}

// holdOf is the id of the hold of a tap at a kiosk.
func holdOf(tap wallet.OpID, kiosk string) wallet.OpID {
	return tap.Derive([]byte("hold"), []byte(kiosk))
}
