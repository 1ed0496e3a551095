package local

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/cursor"
)

// Entries implements [wallet.Keeper]. A wallet's records form a chain, each with
// the position of the one before, so that no index of them is kept in memory.
func (l *Ledger) Entries(ctx context.Context, id wallet.WalletID, from string, limit int) ([]wallet.Entry, string, error) {
	if err := wallet.CheckPage(limit); err != nil {
		return nil, "", err
	}
	var last uint64
	of := chainOf{wallet: id}
	r, _, done, err := l.audience(ctx, func() {
		if w, at := l.state.purses.find(id); w != nil {
			last, of.index = w.last, at
		}
		of.rules = l.state.passes.names
	})
	if err != nil {
		return nil, "", err
	}
	defer done()
	if last == 0 {
		return nil, "", wallet.ErrNotFound
	}
	listing := "entries " + id.String()
	at, err := cursor.OpenNumber(l.journal.id[:], listing, from, 0)
	if err != nil {
		return nil, "", err
	}
	if at == 0 {
		at = last
	}
	page, at, err := r.chain(ctx, of, at, limit)
	if err != nil || at == 0 {
		return page, "", err
	}
	return page, cursor.SealNumber(l.journal.id[:], listing, at), nil
}

// chainOf says whose entries are read.
type chainOf struct {
	wallet wallet.WalletID
	index  uint32   // the wallet's
	rules  []string // names of all rules that its entries can have
}

// take makes the record complete as one of the wallet's entries, and returns the
// position of the entry before, or reports that it is none.
func (c *chainOf) take(r *record) (before uint64, ok bool) {
	switch {
	case r.kind == wallet.KindCreate:
		ok = r.wallet == c.wallet
	case r.hasWallet() && r.walletAt == c.index:
		r.wallet, before, ok = c.wallet, r.prev, true
	case r.has(flagBetween) && r.other == c.wallet:
		before, ok = r.otherPrev, true
	}
	return before, ok && r.nameRule(c.rules) == nil
}

// chain reads at most limit entries of a wallet, from a position backwards, and
// returns the position of the next one, or zero.
func (r *reader) chain(ctx context.Context, of chainOf, at uint64, limit int) ([]wallet.Entry, uint64, error) {
	var page []wallet.Entry
	var each record
	for at != 0 && len(page) < limit {
		if err := ctx.Err(); err != nil {
			return nil, 0, unavailable(err)
		}
		if err := r.record(at, &each); err != nil {
			return nil, 0, err
		}
		before, ok := of.take(&each)
		if !ok {
			return nil, 0, corrupt("the record at %d is not one of wallet %s", at, of.wallet)
		}
		page = append(page, each.entry(of.wallet))
		if before >= at {
			return nil, 0, corrupt("the record at %d comes after its predecessor", at)
		}
		at = before
	}
	return page, at, nil
}
