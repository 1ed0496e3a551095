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
// nothing. ErrCode, ErrTaken, ErrInvalid.
func (c *Cashier) AddCard(ctx context.Context, owner wallet.Wallet, sealed, name string) (Card, error) {
	text, err := c.open(sealed, claimSeal)
	if err != nil {
		return Card{}, err
	}
	var given claim
	if given.read(text) != nil || given.Expires <= c.Now().UnixMilli() {
		return Card{}, ErrCode
	}
	if name, err = cardName(name); err != nil {
		return Card{}, err
	}
	id := hex.EncodeToString(given.Card[:])
	there, _, err := load[Card](ctx, c, cardPrefix+id)
	switch {
	case err == nil && there.Wallet == owner.ID:
		there.ID = id
		return there, nil
	case err == nil:
		return Card{}, ErrTaken
	case !errors.Is(err, wallet.ErrNotFound):
		return Card{}, err
	}
	if have, err := c.Cards(ctx, owner.ID); err != nil || len(have) >= MaxCards {
		if err == nil {
			err = fmt.Errorf("%w: a wallet has at most %d cards", ErrInvalid, MaxCards)
		}
		return Card{}, err
	}
	version, _, err := c.versionOf(ctx, given.Card)
	if err != nil {
		return Card{}, err
	}
	fresh := Card{
		ID: id, Wallet: owner.ID, Generation: owner.Generation, Name: name, Tier: given.Tier, Version: version,
		Added: c.Now().UnixMilli(), Counter: given.Counter,
	}
	// The index first: what it lists and no card says so is left out.
	if err := c.save(ctx, indexOf(owner.ID)+id, wallet.OpID{}, true); err != nil && !errors.Is(err, errChanged) {
		return Card{}, err
	}
	if err := c.save(ctx, cardPrefix+id, wallet.OpID{}, fresh); errors.Is(err, errChanged) {
		return Card{}, ErrTaken
	} else if err != nil {
		return Card{}, err
	}
	return fresh, nil
}
