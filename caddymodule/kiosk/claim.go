package kiosk

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const claimLife = 5 * time.Minute

// newClaim is the code with which whoever holds an unknown card makes it theirs.
func (c *Cashier) newClaim(p proof) string {
	return c.seal(claim{
		Card: p.hash, Tier: p.tier, Counter: p.sun.Counter, Expires: c.Now().Add(claimLife).UnixMilli(),
	}.bytes(), claimSeal)
}

// AddCard makes a card a wallet's, by the claim that a kiosk has shown. Again it changes
// nothing, and finishes a ReplaceCard that was interrupted. ErrCode, ErrTaken, ErrInvalid.
func (c *Cashier) AddCard(ctx context.Context, owner wallet.Wallet, sealed, name string) (Card, error) {
	fresh, err := c.claimed(ctx, owner, sealed, name)
	if err != nil {
		return Card{}, err
	}
	one, err := c.enter(ctx, fresh)
	if err == nil && one.Replaces != "" {
		return c.takeOver(ctx, one)
	}
	return one, err
}

// claimed is the card that a claim makes of an owner's.
func (c *Cashier) claimed(ctx context.Context, owner wallet.Wallet, sealed, name string) (fresh Card, err error) {
	text, err := c.open(sealed, claimSeal)
	if err != nil {
		return fresh, err
	}
	var given claim
	if given.read(text) != nil || given.Expires <= c.Now().UnixMilli() {
		return fresh, ErrCode
	}
	if name, err = cardName(name); err != nil {
		return fresh, err
	}
	version, _, err := c.versionOf(ctx, given.Card)
	return Card{
		ID: hex.EncodeToString(given.Card[:]), Wallet: owner.ID, Generation: owner.Generation, Name: name, Tier: given.Tier,
		Version: version, Added: c.Now().UnixMilli(), Counter: given.Counter,
	}, err
}

// enter writes a card down that nobody has. One that the owner has is returned as it is.
func (c *Cashier) enter(ctx context.Context, fresh Card) (Card, error) {
	there, _, err := load[Card](ctx, c, cardPrefix+fresh.ID)
	switch {
	case err == nil && there.Wallet == fresh.Wallet:
		there.ID = fresh.ID
		return there, nil
	case err == nil:
		return Card{}, ErrTaken
	case !errors.Is(err, wallet.ErrNotFound):
		return Card{}, err
	}
	if err := c.room(ctx, fresh); err != nil {
		return Card{}, err
	}
	// The index first: what it lists and no card says so is left out.
	if err := c.save(ctx, indexOf(fresh.Wallet)+fresh.ID, wallet.OpID{}, true); err != nil && !errors.Is(err, errChanged) {
		return Card{}, err
	}
	if err := c.save(ctx, cardPrefix+fresh.ID, wallet.OpID{}, fresh); errors.Is(err, errChanged) {
		return Card{}, ErrTaken
	} else if err != nil {
		return Card{}, err
	}
	return fresh, nil
}

// room returns ErrInvalid where a wallet has too many cards for one more. One that takes
// the place of another is none more.
func (c *Cashier) room(ctx context.Context, fresh Card) error {
	all, err := c.Cards(ctx, fresh.Wallet)
	if err != nil {
		return err
	}
	paying := 0
	for _, one := range all {
		if one.Replaced == "" && one.ID != fresh.Replaces {
			paying++
		}
	}
	switch {
	case paying >= MaxCards:
		return fmt.Errorf("%w: a wallet has at most %d cards", ErrInvalid, MaxCards)
	case len(all) >= 2*MaxCards:
		return fmt.Errorf("%w: a wallet keeps at most %d cards; remove some that have been replaced", ErrInvalid, 2*MaxCards)
	}
	return nil
}
