package ledgertest

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// book is where money lies: in an account, or held for a wallet's account.
type book struct {
	account wallet.Account
	held    bool
}

func open(id wallet.WalletID) book   { return book{account: wallet.WalletAccount(id)} }
func heldOf(id wallet.WalletID) book { return book{account: wallet.WalletAccount(id), held: true} }

func (b book) String() string {
	if b.held {
		return "held of " + b.account.String()
	}
	return b.account.String()
}

// siteBook is what the pages have earned.
var siteBook = book{account: wallet.Site}

// move takes an amount from one book to another.
type move struct {
	from, to book
	amount   wallet.Amount
}

// record is one change in the journal: the money that moved, and what each
// wallet's entries say about it.
type record struct {
	moves []move
	lines []line
}

type line struct {
	wallet wallet.WalletID
	entry  wallet.Entry
}

// write carries out the moves and appends the record, with the change and the
// balance of each line's wallet filled in.
func (m *model) write(moves []move, lines ...line) {
	for i := range lines {
		lines[i].entry.Amount = -m.balance[open(lines[i].wallet)]
	}
	for _, mv := range moves {
		m.balance[mv.from] -= mv.amount
		m.balance[mv.to] += mv.amount
	}
	for i := range lines {
		lines[i].entry.Balance = m.balance[open(lines[i].wallet)]
		lines[i].entry.Amount += lines[i].entry.Balance
	}
	m.journal = append(m.journal, record{moves, lines})
}

// room reports whether a move would keep every balance within its limits, as
// Applied, Insufficient or Limit.
func (m *model) room(mv move) wallet.Outcome {
	giver := m.balance[mv.from] - mv.amount
	switch funding := mv.from.account.IsFunding(); {
	case giver < 0 && !funding:
		return wallet.Insufficient
	case giver < -wallet.MaxAmount:
		return wallet.Limit
	}
	taker := m.balance[mv.to] + mv.amount
	if mv.to.account.IsWallet() {
		taker += m.balance[book{account: mv.to.account, held: !mv.to.held}]
		if mv.from.account == mv.to.account {
			taker -= mv.amount // from available to held: the wallet has what it had
		}
	}
	if taker > wallet.MaxAmount {
		return wallet.Limit
	}
	return wallet.Applied
}

// credential judges a wallet that is to spend: Applied, NotFound, Revoked or
// Frozen.
func (m *model) credential(id wallet.WalletID, generation uint32) wallet.Outcome {
	p := m.wallets[id]
	switch {
	case p == nil:
		return wallet.NotFound
	case p.generation != generation:
		return wallet.Revoked
	case p.frozen:
		return wallet.Frozen
	}
	return wallet.Applied
}

// answer is a receipt about a wallet, by the rule which fields an outcome
// shows. rule is empty where the operation has no visits to tell.
func (m *model) answer(o wallet.Outcome, id wallet.WalletID, rule string, now time.Time) wallet.Receipt {
	switch o {
	case wallet.Conflict, wallet.Stale, wallet.NotFound, wallet.Revoked:
		return wallet.Receipt{Outcome: o}
	}
	visits, _ := m.visits(id, rule, now)
	return wallet.Receipt{Outcome: o, Balance: m.balance[open(id)], Visits: visits}
}
