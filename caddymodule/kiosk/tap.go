package kiosk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Tap judges a tap. Where it is granted, the price is set aside until Capture, Release or
// the time of a hold is over. An error says that there is no verdict: the kiosk sends the
// same tap again, and it counts once.
func (c *Cashier) Tap(ctx context.Context, k Kiosk, t wire.Tap) (wire.Verdict, error) {
	v := wire.Verdict{ID: t.ID, Outcome: wire.Refused}
	err := c.judge(ctx, k, t, &v)
	if err == nil && v.Outcome != wire.Asked {
		noted := string(v.Outcome)
		if v.Outcome == wire.Refused {
			noted = string(v.Reason)
		}
		c.note(k, cut(v.Product.Name), noted)
	}
	if c.Judged != nil {
		c.Judged(v, err)
	}
	return v, err
}

func (c *Cashier) judge(ctx context.Context, k Kiosk, t wire.Tap, v *wire.Verdict) error {
	if !wire.IsName(t.Product) {
		return fmt.Errorf("%w: the product's name", ErrInvalid)
	}
	if age := c.Now().Sub(t.ID.Time()); age > wallet.ChargeMemory || age < -wallet.MaxClockSkew {
		return errTapTime
	}
	shown, product, found := c.product(t.Product)
	v.Product = shown
	if !found {
		v.Reason = wire.NoProduct
		return nil
	}
	if agreed, err := wallet.ParseAmount(t.Price); err != nil || agreed != product.Price {
		v.Reason = wire.PriceChanged
		return nil
	}
	d, err := c.resume(k, t)
	if err != nil {
		return err
	}
	if d.Shown.Bank && c.limits(k.Name, TierEMV).Tap == 0 {
		v.Reason = wire.NotTaken
		return nil
	}
	p, command, reason, err := c.prove(ctx, t, &d)
	switch {
	case err != nil || reason != "":
		v.Reason = reason
		return err
	case command != nil:
		v.Outcome = wire.Asked
		v.Ask, err = c.ask(k, d, wire.Ask{Command: command})
		return err
	}
	one, asks, reason, err := c.use(ctx, k, t, p, product, d.pin)
	if err == nil && reason != "" && one.Indebted {
		one, asks, reason, err = c.useIndebted(ctx, k, t, p, product, d.pin, one)
	}
	switch {
	case errors.Is(err, wallet.ErrNotFound):
		return c.unknown(ctx, p, v)
	case err != nil || reason != "":
		v.Reason = reason
		return err
	case asks != enough && !t.PINPad:
		v.Reason = wire.PINNeeded
		return nil
	case asks != enough:
		v.Outcome = wire.Asked
		d.Expires = c.Now().Add(dialogLife).UnixMilli()
		v.Ask, err = c.ask(k, d, wire.Ask{PIN: true, Wrong: asks == mistaken})
		return err
	}
	return c.setAside(ctx, k, t, p, one, product.Price, v)
}

// unknown is the verdict on a card that nobody has. One that was issued here is claimed by
// what it proves, and by nobody who has its number alone.
func (c *Cashier) unknown(ctx context.Context, p proof, v *wire.Verdict) error {
	made, _, err := c.issuedOf(ctx, p.hash)
	switch {
	case err != nil:
	case made.Made && p.tier == TierUID:
		v.Reason = wire.ProofNeeded
	default:
		v.Outcome, v.Claim = wire.Unknown, c.newClaim(p)
	}
	return err
}

// errTapTime is a tap whose id the ledger would not take either: it is found before the
// card is used for it.
var errTapTime = fmt.Errorf("%w: the tap's id is not one of now", ErrInvalid)

// use notes on the card that it is used for a tap, in one step with the comparison of its
// counter and its PIN, or says why it may not be. A tap that has been noted before is not
// noted again. Where a PIN is wanted the card's message has been used for the tap all the
// same: it is asked for once.
func (c *Cashier) use(ctx context.Context, k Kiosk, t wire.Tap, p proof, product Product, digits wire.PIN) (one Card, asks entry, reason wire.Reason, err error) {
	need := c.need(k.Name, product)
	one, err = c.updateCard(ctx, p.register, func(one *Card) error {
		asks = enough
		if reason = c.refuses(one, p, need); reason != "" {
			return errKeep
		}
		if slices.Contains(one.Granted, t.ID) { // the kiosk has waited no longer, and granted it by itself
			reason = wire.JustPaid
			return errKeep
		}
		known, asked := one.Last.Tap == t.ID, one.Asking.is(t, k.Name)
		if known && !one.Last.is(t, k.Name) {
			return fmt.Errorf("%w: the tap's id is that of another one", ErrInvalid)
		}
		if p.signed && !known && !asked && p.sun.Counter <= one.Counter {
			reason = wire.Replayed
			return errKeep
		}
		if known && !one.Last.Undone {
			return errKeep
		}
		one.Counter = max(one.Counter, p.sun.Counter) // accepted, whatever becomes of the tap
		c.today(one)
		if reason = c.limited(one, k, t, p.tier, product.Price); reason != "" {
			return nil
		}
		this := lastTap{Tap: t.ID, Kiosk: k.Name, Product: t.Product, Time: c.Now().UnixMilli(), NoPIN: one.PIN != nil && digits == ""}
		switch asks = c.enterPIN(one, t.ID, digits, product.Price); asks {
		case enough:
			one.Spent += product.Price
			one.Last, one.Asking = this, lastTap{}
		case blocking:
			reason = wire.PINBlocked
		default:
			one.Asking = this
		}
		return nil
	})
	return one, asks, reason, err
}

// setAside holds the price, and seals what the kiosk needs to take it.
func (c *Cashier) setAside(ctx context.Context, k Kiosk, t wire.Tap, p proof, one Card, price wallet.Amount, v *wire.Verdict) (err error) {
	hold := wallet.Hold{
		ID: holdOf(t.ID, k.Name), Wallet: one.Wallet, Generation: one.Generation, Amount: price, TTL: c.Hold,
	}
	receipt, err := c.Ledger.Hold(ctx, hold)
	if err == nil && receipt.Outcome == wallet.Insufficient {
		if v.Lapsed, err = c.recall(ctx, k, p, one); err == nil && v.Lapsed != (wallet.OpID{}) {
			receipt, err = c.Ledger.Hold(ctx, hold)
		}
	}
	if err != nil {
		return err
	}
	if receipt.Outcome.Done() {
		if overtaken, err := c.overtaken(ctx, t, p, one, hold.ID); overtaken || err != nil {
			v.Reason = wire.JustPaid
			return err
		}
		v.Outcome, v.Expires = wire.Granted, receipt.Until.UnixMilli()
		c.Notes.pulses.holds(t.ID, receipt.Until, c.Now())
		if c.ShowBalance {
			v.Balance = c.Currency.Format(receipt.Balance)
		}
		if v.Ticket, err = c.newTicket(k, t.ID, p, one); err != nil {
			return err
		}
		v.Grant, err = c.sealGrant(grant{t.ID, one.Wallet, hold.ID, price, t.Product, p.register, c.Now().UnixMilli()}, k.Name)
		return err
	}
	switch receipt.Outcome {
	case wallet.Insufficient:
		v.Reason = wire.NoMoney
	case wallet.Frozen:
		v.Reason = wire.Frozen
	case wallet.Revoked, wallet.NotFound:
		v.Reason = wire.Blocked
	default: // an id that has become old meanwhile, or that is another hold's
		return errors.Join(errTapTime, c.undo(ctx, p.register, t.ID, price))
	}
	return c.undo(ctx, p.register, t.ID, price)
}

// overtaken reports whether the kiosk has granted the tap by itself while it was judged here,
// and told of it: then what is set aside goes back. Whoever settles the kiosk's record notes
// it on the card first and releases the hold then, so that one of the two sees the other.
func (c *Cashier) overtaken(ctx context.Context, t wire.Tap, p proof, one Card, hold wallet.OpID) (bool, error) {
	if !one.Offline {
		return false, nil
	}
	now, _, err := load[Card](ctx, c, p.register)
	if err != nil || !slices.Contains(now.Granted, t.ID) {
		return false, err
	}
	_, err = c.Ledger.Release(ctx, wallet.Release{ID: t.ID.Derive([]byte(Released)), Wallet: one.Wallet, Hold: hold})
	return true, err
}

// useIndebted has the wallet of a card pay what the card owes, and uses it then.
func (c *Cashier) useIndebted(ctx context.Context, k Kiosk, t wire.Tap, p proof, product Product, digits wire.PIN, one Card) (Card, entry, wire.Reason, error) {
	left, err := c.PayDebts(ctx, one.Wallet, one.Generation)
	if err != nil || left > 0 {
		return one, enough, wire.NoMoney, err
	}
	if err := c.indebt(ctx, p.register, one.Wallet, false); err != nil {
		return one, enough, "", err
	}
	return c.use(ctx, k, t, p, product, digits)
}

// undo takes a tap off what a card has spent, once.
func (c *Cashier) undo(ctx context.Context, register string, tap wallet.OpID, price wallet.Amount) error {
	_, err := c.updateCard(ctx, register, func(one *Card) error {
		if one.Last.Tap != tap || one.Last.Undone {
			return errKeep
		}
		one.Last.Undone = true
		one.Spent = max(0, one.Spent-price)
		if one.PIN != nil && one.Last.NoPIN {
			one.PIN.Without = max(0, one.PIN.Without-price)
		}
		return nil
	})
	if errors.Is(err, wallet.ErrNotFound) {
		err = nil
	}
	return err
}
