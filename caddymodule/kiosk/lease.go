package kiosk

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// lend gives the standing a lease that is worth having, in place of one that is used up.
func (c *Cashier) lend(ctx context.Context, k Kiosk, handle string, t ticket, s standing, one Card) (standing, error) {
	id := t.Tap.Derive([]byte("lease"), []byte(k.Name))
	var err error
	if l := s.Lease; l != nil && l.ID != id {
		if c.lasts(*l) {
			return s, nil
		}
		if s, err = c.closeLease(ctx, k, handle, l.ID); err != nil {
			return s, err
		}
	}
	if s.Lease == nil {
		if s, err = c.promise(ctx, k, handle, t, one, id); err != nil {
			return s, err
		}
	}
	if s.Lease == nil || s.Lease.ID != id || s.Lease.Closing || s.Lease.Spent > 0 {
		return s, nil
	}
	return c.hold(ctx, k, handle, s, *s.Lease)
}

// lasts reports whether a lease need not be replaced.
func (c *Cashier) lasts(l lease) bool {
	return l.Held && !l.Closing && l.Until > c.Now().Add(c.Offline.LeaseFor/2).UnixMilli() && 2*(l.Amount-l.Spent) >= c.Offline.Lease
}

// promise writes a lease down whose money is not set aside yet: so that no hold is forgotten,
// whenever the power is lost (see closeLease). It writes none for a ticket of before, nor for
// one whose lease is over: its hold has been.
func (c *Cashier) promise(ctx context.Context, k Kiosk, handle string, t ticket, one Card, id wallet.OpID) (standing, error) {
	w, err := c.Ledger.Wallet(ctx, one.Wallet)
	if err != nil {
		return standing{}, err
	}
	amount := min(w.Available/2, c.leaseAmount(k, t, one)) // what is lent here cannot be spent elsewhere
	return update(ctx, c, standingName(k.Name, handle), func(s *standing) error {
		if amount <= 0 || s.Lease != nil || s.Ticket != t.Tap || s.Was.ID == id {
			return errKeep
		}
		s.Lease = &lease{ID: id, Amount: amount, Until: c.Now().Add(c.Offline.LeaseFor).UnixMilli()}
		return nil
	})
}

// hold sets the money of a lease aside, and notes that it is.
func (c *Cashier) hold(ctx context.Context, k Kiosk, handle string, s standing, l lease) (standing, error) {
	receipt, err := c.Ledger.Hold(ctx, wallet.Hold{
		ID: l.ID, Wallet: s.Wallet, Generation: s.Generation, Amount: l.Amount, TTL: c.Offline.LeaseFor + leaseGrace,
	})
	switch {
	case err != nil:
		return s, err
	case !receipt.Outcome.Done(): // the money has gone meanwhile, or it is another hold's
		return c.closeLease(ctx, k, handle, l.ID)
	}
	return update(ctx, c, standingName(k.Name, handle), func(s *standing) error {
		if s.Lease == nil || s.Lease.ID != l.ID || s.Lease.Held {
			return errKeep
		}
		s.Lease.Held = true
		return nil
	})
}

// leaseAmount is the most that is lent to a card: no more than it may still spend today.
func (c *Cashier) leaseAmount(k Kiosk, t ticket, one Card) wallet.Amount {
	day := c.limits(k.Name, t.Tier).Day
	if one.Own != nil {
		day = min(day, one.Own.Day)
	}
	if one.Day == c.Now().UTC().Format(time.DateOnly) {
		day -= one.Spent
	}
	return min(c.Offline.Lease, day)
}

// recall ends the lease of a card at the kiosk where it taps online and its wallet is short:
// the money is there. The kiosk is told, and pays no more from it; what it has granted before
// is collected from the wallet.
func (c *Cashier) recall(ctx context.Context, k Kiosk, p proof, one Card) (lapsed wallet.OpID, err error) {
	if !one.Offline {
		return lapsed, nil
	}
	handle := c.handle(k.Name, strings.TrimPrefix(p.register, cardPrefix))
	s, _, err := load[standing](ctx, c, standingName(k.Name, handle))
	switch {
	case errors.Is(err, wallet.ErrNotFound), err == nil && (s.Lease == nil || s.Wallet != one.Wallet):
		return lapsed, nil
	case err != nil:
		return lapsed, err
	}
	lapsed = s.Lease.ID
	_, err = c.closeLease(ctx, k, handle, lapsed)
	return lapsed, err
}

// closeLease takes what was spent of a standing's lease, once, and gives the rest back. Where
// the hold is over, what was spent is collected from the wallet.
func (c *Cashier) closeLease(ctx context.Context, k Kiosk, handle string, id wallet.OpID) (standing, error) {
	name := standingName(k.Name, handle)
	s, err := update(ctx, c, name, func(s *standing) error {
		if s.Lease == nil || s.Lease.ID != id || s.Lease.Closing {
			return errKeep
		}
		s.Lease.Closing = true
		return nil
	})
	if err != nil || s.Lease == nil || s.Lease.ID != id {
		return s, err
	}
	l := *s.Lease
	if err := c.endHold(ctx, k, s, l); err != nil {
		return s, err
	}
	return update(ctx, c, name, func(s *standing) error {
		if s.Lease == nil || s.Lease.ID != l.ID {
			return errKeep // somebody else was at it too
		}
		s.Was, s.Lease = closed{l.ID, l.Amount - l.Spent}, nil
		return nil
	})
}

func (c *Cashier) endHold(ctx context.Context, k Kiosk, s standing, l lease) error {
	id, err := c.newID()
	if err != nil {
		return err
	}
	if l.Spent == 0 {
		_, err := c.Ledger.Release(ctx, wallet.Release{ID: id, Wallet: s.Wallet, Hold: l.ID})
		return err // or it was released before, has expired, or never was
	}
	d := due{
		ID: l.ID, Wallet: s.Wallet, Generation: s.Generation, Amount: l.Spent, Product: l.Product, Card: s.Card, Kiosk: k.Name, Time: c.Now().UnixMilli(),
	}
	receipt, err := c.Ledger.Capture(ctx, wallet.Capture{
		ID: id, Wallet: s.Wallet, Hold: l.ID, Amount: l.Spent, Rule: d.rule(), Resource: d.resource(), Window: dueWindow,
	})
	if err != nil || receipt.Outcome.Done() {
		return err
	}
	_, err = c.collect(ctx, d)
	return err
}
