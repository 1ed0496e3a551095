package kiosk

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// ErrReplaced is a card whose place another one has taken, or is taking.
var ErrReplaced = errors.New("one of the two cards has been replaced before, or is replacing another one")

// ReplaceCard makes a card a wallet's as AddCard does, in the place of another one of the
// wallet's: it has that one's name (where name is empty), limits, PIN and what was spent
// today, and that one is refused everywhere for good. Again it changes nothing.
//
// It is three writes: the new card, which pays nothing yet; the mark on the old one, which
// pays nothing from then on and can bear one such mark only; what the new one takes over,
// with which it pays. At no time both pay, and whoever finds the first or the second alone,
// after a crash, goes on from there.
//
// ErrCode, ErrTaken, ErrInvalid, ErrReplaced; wallet.ErrNotFound where the wallet has no
// such card.
func (c *Cashier) ReplaceCard(ctx context.Context, owner wallet.Wallet, sealed, name, old string) (Card, error) {
	fresh, err := c.claimed(ctx, owner, sealed, name)
	if err != nil {
		return Card{}, err
	}
	fresh.Replaces = old
	before, _, err := c.loadCard(ctx, owner.ID, old)
	switch {
	case err != nil:
		return Card{}, err
	case !before.makesWay(fresh.ID) || old == fresh.ID:
		return Card{}, ErrReplaced
	}
	one, err := c.enter(ctx, fresh)
	switch {
	case err != nil:
		return Card{}, err
	case one.Replaces == old:
		return c.takeOver(ctx, one)
	case one.Replaces == "" && before.Replaced == one.ID:
		return one, nil
	case one.Replaces == "" && one.Replaced == "":
		return Card{}, fmt.Errorf("%w: the new card has been added by itself; remove it first", ErrInvalid)
	}
	return Card{}, ErrReplaced
}

// makesWay reports whether a card can be, or has been, replaced by the one of an ID.
func (one *Card) makesWay(id string) bool {
	return one.Replaces == "" && (one.Replaced == "" || one.Replaced == id)
}

// takeOver carries on with a card that is to take another one's place. Where that one is
// gone, or has made way for a third, the card is nobody's again.
func (c *Cashier) takeOver(ctx context.Context, one Card) (Card, error) {
	old, err := c.updateCard(ctx, cardPrefix+one.Replaces, func(old *Card) error {
		switch {
		case old.Wallet != one.Wallet:
			return wallet.ErrNotFound
		case !old.makesWay(one.ID):
			return ErrReplaced
		case old.Replaced == one.ID:
			return errKeep
		}
		old.Replaced = one.ID
		return nil
	})
	if errors.Is(err, ErrReplaced) || errors.Is(err, wallet.ErrNotFound) {
		return Card{}, errors.Join(err, c.giveUp(ctx, one))
	}
	if err != nil {
		return Card{}, err
	}
	return c.ChangeCard(ctx, one.Wallet, one.ID, func(one *Card) error {
		if one.Replaces == "" { // somebody else has carried on
			return errKeep
		}
		one.take(old)
		return nil
	})
}

// giveUp removes a card that was to take another one's place, if it has not.
func (c *Cashier) giveUp(ctx context.Context, one Card) error {
	now, put, err := c.loadCard(ctx, one.Wallet, one.ID)
	if err == nil && now.Replaces != "" {
		err = c.remove(ctx, now, put)
	}
	if errors.Is(err, wallet.ErrNotFound) {
		err = nil
	}
	return err
}

// take makes a card what another one was, and pay.
func (one *Card) take(old Card) {
	if one.Name == "" {
		one.Name = old.Name
	}
	one.Own, one.Day, one.Spent = old.Own, old.Day, old.Spent
	one.Offline, one.Indebted = old.Offline, old.Indebted
	if one.PIN = old.PIN; one.PIN != nil {
		one.PIN.Wrong, one.PIN.Last = 0, nil
	}
	one.Replaces = ""
}
