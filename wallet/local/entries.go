package local

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Entries implements [wallet.Keeper]. A wallet's records form a chain, each with
// the position of the one before, so that no index of them is kept in memory.
func (l *Ledger) Entries(ctx context.Context, id wallet.WalletID, cursor string, limit int) ([]wallet.Entry, string, error) {
	if err := wallet.CheckPage(limit); err != nil {
		return nil, "", err
	}
	var last uint64
	r, _, done, err := l.audience(ctx, func() {
		if w, _ := l.state.purses.find(id); w != nil {
			last = w.last
		}
	})
	if err != nil {
		return nil, "", err
	}
	defer done()
	if last == 0 {
		return nil, "", wallet.ErrNotFound
	}
	listing := "entries " + id.String()
	at, err := l.journal.id.readCursor(listing, cursor)
	if err != nil {
		return nil, "", err
	}
	if at == 0 {
		at = last
	}
	page, at, err := r.chain(ctx, id, at, limit)
	if err != nil || at == 0 {
		return page, "", err
	}
	return page, l.journal.id.cursor(listing, at), nil
}

// chain reads at most limit entries of a wallet, from a position backwards, and
// returns the position of the next one, or zero.
func (r *reader) chain(ctx context.Context, id wallet.WalletID, at uint64, limit int) ([]wallet.Entry, uint64, error) {
	var page []wallet.Entry
	var each record
	for at != 0 && len(page) < limit {
		if err := ctx.Err(); err != nil {
			return nil, 0, unavailable(err)
		}
		if err := r.record(at, &each); err != nil {
			return nil, 0, err
		}
		page = append(page, each.entry(id))
		before := each.prev
		switch {
		case each.hasWallet() && each.wallet == id:
		case each.has(flagBetween) && each.other == id:
			before = each.otherPrev
		default:
			return nil, 0, corrupt("the record at %d is not one of wallet %s", at, id)
		}
		if before >= at {
			return nil, 0, corrupt("the record at %d comes after its predecessor", at)
		}
		at = before
	}
	return page, at, nil
}
