package local

import (
	"cmp"
	"context"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/cursor"
)

// CreateWallet implements [wallet.Keeper].
func (l *Ledger) CreateWallet(ctx context.Context, c wallet.CreateWallet) (wallet.Receipt, error) {
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindCreate)).bytes(c.Wallet[:]).bytes(c.Recovery[:]).hash()
	return l.do(ctx, operation{c.ID, wallet.KindCreate, asked}, func(d *decision) {
		if w, _ := d.purses.find(c.Wallet); w != nil || d.purses.recoveryTaken(c.Recovery, noWallet) {
			d.refuse(wallet.Conflict)
			return
		}
		d.record.wallet, d.record.recovery, d.record.generation = c.Wallet, c.Recovery, 1
		d.accept()
	})
}

// Rekey implements [wallet.Keeper].
func (l *Ledger) Rekey(ctx context.Context, k wallet.Rekey) (wallet.Receipt, error) {
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindRekey)).bytes(k.Wallet[:]).bytes(k.Recovery[:]).bool(k.Revoke).hash()
	return l.do(ctx, operation{k.ID, wallet.KindRekey, asked}, func(d *decision) {
		w := d.receiver(k.Wallet)
		switch {
		case w == nil:
			return
		case d.purses.recoveryTaken(k.Recovery, d.record.walletAt):
			d.refuse(wallet.Conflict)
			return
		}
		d.record.balance, d.record.recovery, d.record.generation = w.available, k.Recovery, w.generation
		if k.Revoke {
			d.record.generation++
		}
		d.accept()
	})
}

// Freeze implements [wallet.Keeper].
func (l *Ledger) Freeze(ctx context.Context, f wallet.Freeze) (wallet.Receipt, error) {
	if err := f.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindFreeze)).bytes(f.Wallet[:]).bool(f.Frozen).text(f.Note).hash()
	return l.do(ctx, operation{f.ID, wallet.KindFreeze, asked}, func(d *decision) {
		w := d.receiver(f.Wallet)
		if w == nil {
			return
		}
		d.record.balance, d.record.note = w.available, f.Note
		if f.Frozen {
			d.record.flags = flagFrozen
		}
		d.accept()
	})
}

// Wallet implements [wallet.Keeper].
func (l *Ledger) Wallet(ctx context.Context, id wallet.WalletID) (wallet.Wallet, error) {
	return l.oneWallet(ctx, func() (uint32, bool) { return l.state.purses.index(id) })
}

// WalletByRecovery implements [wallet.Keeper].
func (l *Ledger) WalletByRecovery(ctx context.Context, recovery wallet.Digest) (wallet.Wallet, error) {
	return l.oneWallet(ctx, func() (uint32, bool) { return l.state.purses.opened(recovery) })
}

func (l *Ledger) oneWallet(ctx context.Context, find func() (uint32, bool)) (wallet.Wallet, error) {
	var shown wallet.Wallet
	missing := false
	err := l.look(ctx, func(now int64) (rests uint64) {
		at, found := find()
		if !found {
			missing = true
			return everything // a rekey under way may have closed this way in
		}
		shown = l.state.describe(at, now)
		return l.state.purses.list.at(at).last
	})
	switch {
	case err != nil:
		return wallet.Wallet{}, err
	case missing:
		return wallet.Wallet{}, wallet.ErrNotFound
	}
	return shown, nil
}

// Wallets implements [wallet.Keeper].
func (l *Ledger) Wallets(ctx context.Context, cursor string, limit int) ([]wallet.Wallet, string, error) {
	var page []wallet.Wallet
	next, err := l.list(ctx, "wallets", cursor, limit, func() uint32 { return l.state.purses.list.length },
		func(i uint32, now int64) { page = append(page, l.state.describe(i, now)) })
	if err != nil {
		return nil, "", err
	}
	return page, next, nil
}

// list walks a page of a list that only grows: show is called for each item
// under l.mu. What it saw is durable when list returns.
func (l *Ledger) list(ctx context.Context, name, page string, limit int, length func() uint32, show func(i uint32, now int64)) (next string, err error) {
	if err := wallet.CheckPage(limit); err != nil {
		return "", err
	}
	var wrong error
	err = l.look(ctx, func(now int64) (rests uint64) {
		from, err := cursor.OpenNumber(l.journal.id[:], name, page, 0)
		if err != nil {
			wrong = err
			return 0
		}
		i, end := from, uint64(length())
		for ; i < end && i-from < uint64(limit); i++ {
			show(uint32(i), now)
		}
		if i < end {
			next = cursor.SealNumber(l.journal.id[:], name, i)
		}
		return everything
	})
	return next, cmp.Or(wrong, err)
}

// describe is what the ledger knows of a wallet.
func (s *state) describe(at uint32, now int64) wallet.Wallet {
	w := s.purses.list.at(at)
	shown := wallet.Wallet{
		ID: w.id, Available: w.available, Held: w.held,
		Generation: w.generation, Frozen: w.frozen, Created: timeOf(w.created),
	}
	for i := w.pass; i != 0; {
		p := s.passes.list.at(i - 1)
		if visits, until := p.left(now); visits > 0 {
			shown.Passes = append(shown.Passes, wallet.Pass{Rule: s.passes.names[p.rule], Visits: int(visits), Until: timeOf(until)})
		}
		i = p.next
	}
	slices.SortFunc(shown.Passes, func(a, b wallet.Pass) int { return cmp.Compare(a.Rule, b.Rule) })
	return shown
}
