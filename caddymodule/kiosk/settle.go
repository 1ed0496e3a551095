package kiosk

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// share is what a record comes to: how much of its price is the card's to pay, and from what.
type share struct {
	Amount wallet.Amount `json:"amount"`
	Leased bool          `json:"leased,omitempty"` // with its lease; else it is collected at once
	Flag   string        `json:"flag,omitempty"`
}

// settle counts a record against the bounds of its card, voids what the paywall was asked
// for the same tap, and collects what no lease covers. Each step may be done again.
func (c *Cashier) settle(ctx context.Context, k Kiosk, r signed) (outcome wire.Outcome, flag string, err error) {
	price, flag := c.priceOf(r)
	s, err := c.count(ctx, k, r, price)
	if errors.Is(err, wallet.ErrNotFound) {
		return wire.Lost, "the card was never admitted to this kiosk", nil
	}
	if err != nil {
		return "", "", err
	}
	if s.Last.Flag != "" {
		flag = s.Last.Flag
	}
	if err := c.void(ctx, k, s, r); err != nil {
		return "", "", err
	}
	switch {
	case r.reversed:
		return wire.Reversed, flag, nil
	case s.Last.Amount == 0:
		return wire.Lost, flag, nil
	case !s.Last.Leased:
		paid, err := c.collect(ctx, due{
			ID: r.Tap, Wallet: s.Wallet, Generation: s.Generation, Amount: s.Last.Amount, Product: r.Product,
			Card: s.Card, Kiosk: k.Name, Time: r.Time,
		})
		if err != nil {
			return "", "", err
		}
		if !paid {
			return wire.Owed, flag, nil
		}
	}
	if s.Last.Amount < price {
		return wire.Lost, flag, nil
	}
	return wire.Settled, flag, nil
}

// priceOf is what is to pay for a record: the lower of what the kiosk has shown and what the
// product costs now. What is not sold any more costs what was shown.
func (c *Cashier) priceOf(r signed) (price wallet.Amount, flag string) {
	price, err := wallet.ParseAmount(r.Price)
	if err != nil || price < 0 {
		return 0, "the price does not read"
	}
	if age := c.Now().Sub(time.UnixMilli(r.Time)); age < -wallet.MaxClockSkew {
		flag = "the tap is of the future"
	}
	_, product, found := c.product(r.Product)
	switch {
	case !found:
		return price, "the product is not sold any more"
	case product.Price < price:
		return product.Price, "the product costs less than the kiosk has shown"
	}
	return price, flag
}

// errSettled is a record that the same request has settled meanwhile, sent twice: what stands
// there is of a later one.
var errSettled = errors.New("the record is settled already")

// errClosing is a record of a lease whose end was begun, and not told of, before a crash.
var errClosing = errors.New("the lease is not settled yet")

// count adds a record to what its card has used of its lease or bounds, once.
func (c *Cashier) count(ctx context.Context, k Kiosk, r signed, price wallet.Amount) (standing, error) {
	s, err := c.tryCount(ctx, k, r, price)
	if !errors.Is(err, errClosing) {
		return s, err
	}
	if _, err := c.closeLease(ctx, k, r.Handle, r.Lease); err != nil {
		return s, err
	}
	return c.tryCount(ctx, k, r, price)
}

func (c *Cashier) tryCount(ctx context.Context, k Kiosk, r signed, price wallet.Amount) (standing, error) {
	return update(ctx, c, standingName(k.Name, r.Handle), func(s *standing) error {
		if !bytes.Equal(s.Key, k.Key) {
			return wallet.ErrNotFound
		}
		if s.Seq > r.Seq {
			return errSettled
		}
		if s.Seq == r.Seq {
			return errKeep // before a crash, or by the same request at the same time
		}
		if s.Lease != nil && s.Lease.ID == r.Lease && s.Lease.Closing {
			return errClosing
		}
		s.Seq, s.Last = r.Seq, share{}
		if r.reversed {
			return nil
		}
		s.Last = s.share(r, price)
		if s.Last.Amount < price && s.Last.Flag == "" {
			s.Last.Flag = "the card has paid more than its lease or its bounds allow"
		}
		return nil
	})
}

func (s *standing) share(r signed, price wallet.Amount) share {
	switch l := s.Lease; {
	case l != nil && l.ID == r.Lease:
		amount := min(price, l.Amount-l.Spent)
		l.Spent += amount
		if l.Product != "" && l.Product != r.Product {
			l.Product = "offline"
		} else {
			l.Product = r.Product
		}
		return share{Amount: amount, Leased: true}
	case r.Lease != (wallet.OpID{}) && r.Lease == s.Was.ID: // whose money has gone back
		amount := min(price, s.Was.Left)
		s.Was.Left -= amount
		return share{Amount: amount}
	case s.Taps >= s.Risk.Taps:
		return share{}
	}
	amount := min(price, s.Risk.Tap, s.Risk.Card-s.Sum)
	s.Sum += amount
	s.Taps++
	return share{Amount: amount}
}

// mostGranted is how many of a card's offline taps are remembered with it.
const mostGranted = 8

// void ends what the paywall has set aside for the same tap, when it was asked before the
// kiosk granted it by itself: that grant has reached nobody. One that is still to come finds
// the tap on the card, before or after it sets money aside (see setAside), or lapses.
func (c *Cashier) void(ctx context.Context, k Kiosk, s standing, r signed) error {
	_, err := c.updateCard(ctx, s.Card, func(one *Card) error {
		if one.Wallet != s.Wallet || slices.Contains(one.Granted, r.Tap) {
			return errKeep
		}
		one.Granted = append(one.Granted, r.Tap)
		one.Granted = slices.Clone(one.Granted[max(0, len(one.Granted)-mostGranted):])
		c.today(one)
		if one.Last.Tap == r.Tap && !one.Last.Undone {
			_, product, _ := c.product(r.Product)
			one.Spent, one.Last.Undone = max(0, one.Spent-product.Price), true
		}
		one.Spent += s.Last.Amount
		return nil
	})
	if err != nil && !errors.Is(err, wallet.ErrNotFound) { // removed meanwhile
		return err
	}
	c.Notes.pulses.ended(r.Tap)
	if c.Now().Sub(r.Tap.Time()) >= wallet.ChargeMemory {
		return nil // a hold is never so old
	}
	_, err = c.Ledger.Release(ctx, wallet.Release{
		ID: r.Tap.Derive([]byte(Released)), Wallet: s.Wallet, Hold: holdOf(r.Tap, k.Name),
	})
	return err // or there is none, or it is over
}
