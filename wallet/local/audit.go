package local

import (
	"maps"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// audit compares the ledger's books with those that the journal gives.
type audit struct {
	live        *books
	folded      *state
	compared    int // pieces
	differences []wallet.Difference

	// What the ledger has beyond the journal, in all wallets. A difference stays
	// as it is while operations go on, so that it is also the one at the end.
	availableBeyond, heldBeyond wallet.Amount
}

// reach is called before the record at a position is folded: it compares the
// pieces that do not rest on it.
func (a *audit) reach(at uint64) {
	for ; a.compared < len(a.live.pieces) && a.live.pieces[a.compared].position <= at; a.compared++ {
		p := &a.live.pieces[a.compared]
		for i, live := range p.wallets {
			a.wallet(live, a.folded.book(p.first+uint32(i)))
		}
	}
}

func (a *audit) wallet(live, folded walletBook) {
	a.availableBeyond += live.available - folded.available
	a.heldBeyond += live.held - folded.held
	if live.id != folded.id {
		a.differ(wallet.WalletAccount(live.id).String(), 0, live.available+live.held)
		live = walletBook{}
	}
	if live != folded {
		name := wallet.WalletAccount(folded.id).String()
		a.differ(name, folded.available, live.available)
		a.differ(name+" held", folded.held, live.held)
	}
}

func (a *audit) differ(account string, folded, live wallet.Amount) {
	if folded != live {
		a.differences = append(a.differences, wallet.Difference{Account: account, Journal: folded, Ledger: live})
	}
}

// finish compares what is not in the pieces, and adds up.
func (a *audit) finish() wallet.Audit {
	sum := wallet.Audit{
		Entries: a.folded.records, Wallets: int(a.live.copied), Available: a.availableBeyond, Held: a.heldBeyond,
	}
	for i := range a.folded.purses.list.length {
		folded := a.folded.book(i)
		if i >= a.live.copied {
			a.wallet(walletBook{}, folded)
			continue
		}
		sum.Available += folded.available
		sum.Held += folded.held
	}
	a.differ("holds", a.folded.holds.sum(), a.live.holds)
	a.differ("holds of all wallets", sum.Held, a.live.holds)
	journal := a.folded.accounts.all()
	names := maps.Clone(a.live.accounts)
	maps.Copy(names, journal)
	for name := range names {
		live := a.live.accounts[name]
		a.differ(name, journal[name], live)
		sum.Sum += live
		switch account := (wallet.Account{Name: name}); {
		case account.IsFunding():
			sum.Funding += live
		case account == wallet.Site:
			sum.Site = live
		}
	}
	sum.Sum += sum.Available + sum.Held
	sum.Differences = a.differences
	return sum
}
