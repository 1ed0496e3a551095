package kiosk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Kiosks that are cut off must not go on with a card that was blocked. What they have to
// hear is a list that grows: of cards that were denied, in blocks of which each is a
// register. A kiosk says up to where it has heard it. A card that pays online again is
// admitted anew, so that nothing is ever taken off the list but what is old.
const (
	denialHead   = "denials"
	denialPrefix = "denials:"

	denialBlock  = 48  // cards in a block
	denialBlocks = 100 // that are kept
	denialAnswer = 8   // that one answer has
)

func denialName(block uint64) string { return fmt.Sprintf("%s%016d", denialPrefix, block) }

// deny has kiosks hear that a card does not pay, by its register.
func (c *Cashier) deny(ctx context.Context, register string) error {
	id := strings.TrimPrefix(register, cardPrefix)
	for range tries {
		last, headPut, err := load[uint64](ctx, c, denialHead)
		if err != nil && !errors.Is(err, wallet.ErrNotFound) {
			return err
		}
		block, put, err := load[[]string](ctx, c, denialName(last))
		if err != nil && !errors.Is(err, wallet.ErrNotFound) {
			return err
		}
		if len(block) < denialBlock {
			err = c.save(ctx, denialName(last), put, append(block, id))
		} else if err = c.save(ctx, denialHead, headPut, last+1); err == nil {
			err = c.forgetDenials(ctx, last+1)
			if err == nil {
				continue // with the new block
			}
		}
		if !errors.Is(err, errChanged) {
			return err
		}
	}
	return ErrBusy
}

// DenyWallet has kiosks that are cut off hear that none of a wallet's cards pays: it is frozen,
// or its credentials are revoked. One that pays online again later is admitted anew.
func (c *Cashier) DenyWallet(ctx context.Context, owner wallet.WalletID) error {
	cards, err := c.Cards(ctx, owner)
	if err != nil {
		return err
	}
	for _, one := range cards {
		if !one.paysOffline() {
			continue
		}
		if err := c.deny(ctx, cardPrefix+one.ID); err != nil {
			return err
		}
	}
	return nil
}

// forgetDenials removes the block that has become too old.
func (c *Cashier) forgetDenials(ctx context.Context, last uint64) error {
	if last < denialBlocks {
		return nil
	}
	name := denialName(last - denialBlocks)
	_, put, err := load[[]string](ctx, c, name)
	if err == nil {
		err = c.save(ctx, name, put, nil)
	}
	if errors.Is(err, wallet.ErrNotFound) || errors.Is(err, errChanged) {
		err = nil
	}
	return err
}

// denials are those that a kiosk has not heard of. Numbers begin with 1: who says 0 has
// heard of none.
func (c *Cashier) denials(ctx context.Context, k Kiosk, heard uint64) (d wire.Denials, err error) {
	last, _, err := load[uint64](ctx, c, denialHead)
	if err != nil && !errors.Is(err, wallet.ErrNotFound) {
		return d, err
	}
	from := uint64(0)
	if heard > 0 {
		from = (heard - 1) / denialBlock
	}
	if from == last+1 && heard == from*denialBlock+1 {
		from = last // it has heard all of a block that is full
	}
	if heard == 0 || from > last || from+denialBlocks <= last {
		from, heard, d.All = last, 0, true
	}
	for block := from; block <= last; block++ {
		if block == from+denialAnswer {
			d.More = true
			return d, nil
		}
		ids, _, err := load[[]string](ctx, c, denialName(block))
		if err != nil && !errors.Is(err, wallet.ErrNotFound) {
			return d, err
		}
		for i, id := range ids {
			if number := block*denialBlock + uint64(i) + 1; number >= max(heard, 1) && !d.All {
				d.Cards = append(d.Cards, c.handle(k.Name, id))
			}
		}
		d.Number = block*denialBlock + uint64(len(ids)) + 1
	}
	return d, nil
}
