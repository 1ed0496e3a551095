package kiosk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Lease admits the card of a granted tap to a kiosk, and sets money aside for it there
// where the wallet has some. It is asked for after the tap, which need not wait for it; again
// it is the same. ErrCode where the ticket is none, or the card may not pay offline any more.
func (c *Cashier) Lease(ctx context.Context, k Kiosk, r wire.LeaseRequest) (wire.Lease, error) {
	text, err := c.open(r.Ticket, ticketSeal+k.Name)
	if err != nil {
		return wire.Lease{}, err
	}
	var t ticket
	if json.Unmarshal(text, &t) != nil || t.Expires <= c.Now().UnixMilli() || c.Offline == nil {
		return wire.Lease{}, ErrCode
	}
	one, _, err := load[Card](ctx, c, t.Card)
	switch {
	case errors.Is(err, wallet.ErrNotFound), err == nil && !one.paysOffline():
		return wire.Lease{}, ErrCode
	case err != nil:
		return wire.Lease{}, err
	}
	w, err := c.Ledger.Wallet(ctx, one.Wallet)
	switch {
	case err != nil:
		return wire.Lease{}, err
	case w.Frozen || w.Generation != one.Generation:
		return wire.Lease{}, ErrCode
	}
	handle := c.handle(k.Name, strings.TrimPrefix(t.Card, cardPrefix))
	if err := c.handOver(ctx, k, handle, one); err != nil {
		return wire.Lease{}, err
	}
	s, err := c.admit(ctx, k, handle, t, one)
	if err != nil {
		return wire.Lease{}, err
	}
	if s, err = c.lend(ctx, k, handle, t, s, one); err != nil {
		return wire.Lease{}, err
	}
	return c.leased(k, handle, t, s, one)
}

// paysOffline reports whether a card's holder allows that, and nobody stops it. A kiosk that
// is cut off cannot compare a PIN, and so a card that has one waits for the paywall.
func (one *Card) paysOffline() bool {
	return one.Offline && one.PIN == nil && one.Replaced == "" && one.Replaces == "" && !one.Blocked && !one.Indebted
}

// handOver ends what another wallet has lent to the card, whose it was before.
func (c *Cashier) handOver(ctx context.Context, k Kiosk, handle string, one Card) error {
	s, _, err := load[standing](ctx, c, standingName(k.Name, handle))
	if err == nil && s.Lease != nil && s.Wallet != one.Wallet {
		_, err = c.closeLease(ctx, k, handle, s.Lease.ID)
	}
	if errors.Is(err, wallet.ErrNotFound) {
		err = nil
	}
	return err
}

// admit notes that the card has paid at the kiosk: its bounds begin anew. A ticket does so
// once, and an older one not at all.
func (c *Cashier) admit(ctx context.Context, k Kiosk, handle string, t ticket, one Card) (standing, error) {
	return upsert(ctx, c, standingName(k.Name, handle), func(s *standing) error {
		if !t.Tap.Time().After(s.Ticket.Time()) && s.Ticket != (wallet.OpID{}) {
			return errKeep
		}
		if s.Wallet != one.Wallet {
			if s.Lease != nil {
				return fmt.Errorf("%w: the lease of the card's wallet before is not settled", ErrBusy)
			}
			s.Was = closed{}
		}
		if !bytes.Equal(s.Key, k.Key) { // the records of another machine that had the name
			s.Key, s.Seq, s.Last = k.Key, 0, share{}
		}
		s.Card, s.Wallet, s.Generation, s.Ticket, s.Proof = t.Card, one.Wallet, one.Generation, t.Tap, t.proof()
		s.Risk, s.Sum, s.Taps = c.Offline.Risk, 0, 0
		if s.Proof < TierMutual {
			s.Risk = Risk{}
		}
		return nil
	})
}

// leased is what the kiosk is told.
func (c *Cashier) leased(k Kiosk, handle string, t ticket, s standing, one Card) (wire.Lease, error) {
	limit := c.limits(k.Name, t.Tier).Tap
	if one.Own != nil {
		limit = min(limit, one.Own.Tap)
	}
	l := wire.Lease{Handle: handle, Proof: t.proof().String(), Kind: t.Kind, Tap: c.text(limit), Sum: c.text(s.Sum), Taps: s.Taps}
	if s.Lease != nil && s.Lease.Held && !s.Lease.Closing {
		l.ID, l.Until, l.Amount = s.Lease.ID, s.Lease.Until, c.text(s.Lease.Amount-s.Lease.Spent)
	}
	if t.proof() < TierMutual {
		l.Kind = ""
		return l, nil
	}
	l.Risk = wire.Risk{Tap: c.text(s.Risk.Tap), Card: c.text(s.Risk.Card), Taps: s.Risk.Taps}
	key := card.Offline.Key(card.Bolt(c.Keys.Cards, card.UID(t.Number), t.Version))
	var err error
	l.Key, err = wire.SealCardKey(k.Key, handle, key[:])
	return l, err
}
