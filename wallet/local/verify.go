package local

import (
	"context"
	"maps"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// books are the balances of a state at one instant.
type books struct {
	wallets  []walletBook
	accounts map[string]wallet.Amount
	holds    wallet.Amount // of all open holds
	records  uint64
}

type walletBook struct {
	id              wallet.WalletID
	available, held wallet.Amount
}

func (s *state) books() books {
	b := books{
		wallets:  make([]walletBook, s.purses.list.length),
		accounts: make(map[string]wallet.Amount, len(s.accounts.names)),
		records:  s.records,
	}
	for i := range b.wallets {
		w := s.purses.list.at(uint32(i))
		b.wallets[i] = walletBook{w.id, w.available, w.held}
	}
	for i, name := range s.accounts.names {
		b.accounts[name] = s.accounts.balances[i]
	}
	for _, i := range s.holds.byID {
		if h := s.holds.list.at(i); !h.resolved {
			b.holds += h.amount
		}
	}
	return b
}

// Verify implements [wallet.Auditor]. It copies the balances at one position of
// the journal, during which operations wait, and folds the journal up to that
// position beside them.
func (l *Ledger) Verify(ctx context.Context) (wallet.Audit, error) {
	var live books
	r, to, done, err := l.audience(ctx, func() { live = l.state.books() })
	if err != nil {
		return wallet.Audit{}, err
	}
	defer done()
	folded := newState()
	if err := r.walk(ctx, 0, 0, to, folded.fold); err != nil {
		return wallet.Audit{}, err
	}
	return live.audit(folded.books()), nil
}

// audit compares the ledger's books with those that the journal gives.
func (b books) audit(journal books) wallet.Audit {
	a := wallet.Audit{Entries: journal.records, Wallets: len(b.wallets)}
	differ := func(account string, folded, live wallet.Amount) {
		if folded != live {
			a.Differences = append(a.Differences, wallet.Difference{Account: account, Journal: folded, Ledger: live})
		}
	}
	for i := range max(len(b.wallets), len(journal.wallets)) {
		live, folded := bookAt(b.wallets, i), bookAt(journal.wallets, i)
		a.Available += live.available
		a.Held += live.held
		name := wallet.WalletAccount(folded.id).String()
		if live.id != folded.id {
			differ(wallet.WalletAccount(live.id).String(), 0, live.available+live.held)
			live = walletBook{}
		}
		differ(name, folded.available, live.available)
		differ(name+" held", folded.held, live.held)
	}
	differ("holds", journal.holds, b.holds)
	differ("holds of all wallets", a.Held, b.holds)
	names := maps.Clone(b.accounts)
	maps.Copy(names, journal.accounts)
	for name := range names {
		live := b.accounts[name]
		differ(name, journal.accounts[name], live)
		a.Sum += live
		switch account := (wallet.Account{Name: name}); {
		case account.IsFunding():
			a.Funding += live
		case account == wallet.Site:
			a.Site = live
		}
	}
	a.Sum += a.Available + a.Held
	return a
}

func bookAt(list []walletBook, i int) walletBook {
	if i < len(list) {
		return list[i]
	}
	return walletBook{}
}
