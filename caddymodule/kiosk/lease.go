package kiosk

import (
	"context"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// lend gives the standing a lease that is worth having, in place of one that is used up.
func (c *Cashier) lend(ctx context.Context, k Kiosk, handle string, t ticket, s standing, one Card) (standing, error) {
	now, name := c.Now(), standingName(k.Name, handle)
	id := t.Tap.Derive([]byte("lease"), []byte(k.Name))
	if l := s.Lease; l != nil && l.ID != id {
		if l.Held && !l.Closing && l.Until > now.Add(c.Offline.LeaseFor/2).UnixMilli() && 2*(l.Amount-l.Spent) >= c.Offline.Lease {
			return s, nil
		}
		var err error
		if s, err = c.closeLease(ctx, k, handle, l.ID); err != nil {
			return s, err
		}
	}
	if s.Lease == nil {
		// Neither a ticket of before nor one whose lease is over: its hold has been.
		if s.Ticket != t.Tap || s.Was.ID == id {
			return s, nil
		}
		amount, err := c.leaseAmount(ctx, k, t, one)
		if err != nil || amount <= 0 {
			return s, err
		}
		// It is written down first, so that no hold is forgotten: see closeLease.
		s, err = update(ctx, c, name, func(s *standing) error {
			if s.Lease != nil || s.Ticket != t.Tap || s.Was.ID == id {
				return errKeep
			}
			s.Lease = &lease{ID: id, Amount: amount, Until: now.Add(c.Offline.LeaseFor).UnixMilli()}
			return nil
		})
		if err != nil {
			return s, err
		}
	}
	if s.Lease == nil || s.Lease.ID != id || s.Lease.Closing || s.Lease.Spent > 0 {
		return s, nil
	}
	receipt, err := c.Ledger.Hold(ctx, wallet.Hold{
		ID: id, Wallet: s.Wallet, Generation: s.Generation, Amount: s.Lease.Amount, TTL: c.Offline.LeaseFor + leaseGrace,
	})
	if err != nil {
		return s, err
	}
	if receipt.Outcome.Done() {
		return update(ctx, c, name, func(s *standing) error {
			if s.Lease == nil || s.Lease.ID != id || s.Lease.Held {
				return errKeep
			}
			s.Lease.Held = true
			return nil
		})
	}
	return c.closeLease(ctx, k, handle, id) // the money has gone meanwhile, or it is another's
}

// leaseAmount is what can be lent to a card: no more than its wallet has and it may spend.
func (c *Cashier) leaseAmount(ctx context.Context, k Kiosk, t ticket, one Card) (wallet.Amount, error) {
	w, err := c.Ledger.Wallet(ctx, one.Wallet)
	if err != nil {
		return 0, err
	}
	day := c.limits(k.Name, t.Tier).Day
	if one.Own != nil {
		day = min(day, one.Own.Day)
	}
	if one.Day == c.Now().UTC().Format(time.DateOnly) {
		day -= one.Spent
	}
	return min(c.Offline.Lease, w.Available, day), nil
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
