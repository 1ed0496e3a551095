package local

import (
	"hash/maphash"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// state is the books: the fold of apply over the journal. Apart from the
// names of rules and accounts, notes and registers it holds no pointers in its items, so that
// the garbage collector has nothing to look at however much is in it. It does
// not lock, and reads no clock: what time it is comes with the question.
type state struct {
	purses   *purses
	passes   passes
	grants   grants
	holds    holds
	accounts accounts
	vouchers vouchers
	register registers
	ids      idMemory
	records  uint64 // applied so far
}

func newState() *state {
	return &state{
		purses:   newPurses(),
		passes:   newPasses(),
		grants:   newGrants(),
		holds:    newHolds(),
		accounts: newAccounts(),
		vouchers: newVouchers(),
		ids:      newIDMemory(),
	}
}

// purse is a wallet and its money.
type purse struct {
	id         wallet.WalletID
	available  wallet.Amount
	held       wallet.Amount
	generation uint32
	frozen     bool
	created    int64
	recovery   wallet.Digest
	last       uint64 // position of its newest entry
	pass       uint32 // its newest pass: one more than the index; zero: none
}

// purses are the wallets in order of creation. The tables hold their indexes.
type purses struct {
	list       arena[purse]
	seed       maphash.Seed
	byID       table[uint32]
	byRecovery table[uint32] // also of digests that open nothing any more
}

func newPurses() *purses {
	p := &purses{seed: maphash.MakeSeed()}
	p.byID = newTable(func(i *uint32) uint64 { return maphash.Comparable(p.seed, p.list.at(*i).id) })
	p.byRecovery = newTable(func(i *uint32) uint64 { return maphash.Comparable(p.seed, p.list.at(*i).recovery) })
	return p
}

// index returns the index of a wallet.
func (p *purses) index(id wallet.WalletID) (uint32, bool) {
	return indexIn(&p.byID, maphash.Comparable(p.seed, id), func(i *uint32) bool { return p.list.at(*i).id == id })
}

// opened returns the index of the wallet that a recovery digest opens.
func (p *purses) opened(by wallet.Digest) (uint32, bool) {
	return indexIn(&p.byRecovery, maphash.Comparable(p.seed, by), func(i *uint32) bool { return p.list.at(*i).recovery == by })
}

func indexIn(t *table[uint32], hash uint64, same func(*uint32) bool) (uint32, bool) {
	if i := t.find(hash, same); i != nil {
		return *i, true
	}
	return 0, false
}

// find returns a wallet and its index, or nil.
func (p *purses) find(id wallet.WalletID) (*purse, uint32) {
	i, found := p.index(id)
	if !found {
		return nil, 0
	}
	return p.list.at(i), i
}

// reserve makes room for n more wallets at once.
func (p *purses) reserve(n int) {
	p.byID.reserve(n)
	p.byRecovery.reserve(n)
}

func (p *purses) add(w purse) {
	i := p.list.add(w)
	p.byID.add(maphash.Comparable(p.seed, w.id), i)
	if w.recovery != (wallet.Digest{}) {
		p.byRecovery.add(maphash.Comparable(p.seed, w.recovery), i)
	}
}

// setRecovery changes what opens a wallet; the zero digest opens nothing.
func (p *purses) setRecovery(i uint32, to wallet.Digest) {
	w := p.list.at(i)
	p.byRecovery.remove(maphash.Comparable(p.seed, w.recovery), func(at *uint32) bool { return *at == i })
	w.recovery = to
	if to != (wallet.Digest{}) {
		p.byRecovery.add(maphash.Comparable(p.seed, to), i)
	}
}

// recoveryTaken reports whether a digest opens a wallet other than the one at
// index i, or any wallet where i is noWallet.
func (p *purses) recoveryTaken(d wallet.Digest, i uint32) bool {
	owner, taken := p.opened(d)
	return taken && owner != i
}

const noWallet = 1<<32 - 1

// accounts are those with a name. There are few: the site and the ways in.
type accounts struct {
	names    []string
	balances []wallet.Amount
	byName   map[string]uint32
}

// siteAccount is the site's place among the accounts: every charge needs it.
const siteAccount = 0

func newAccounts() accounts {
	a := accounts{byName: make(map[string]uint32)}
	a.add(wallet.Site.Name, 0)
	return a
}

func (a *accounts) balance(name string) wallet.Amount {
	if i, found := a.byName[name]; found {
		return a.balances[i]
	}
	return 0
}

// all returns a copy of the balances by name.
func (a *accounts) all() map[string]wallet.Amount {
	balances := make(map[string]wallet.Amount, len(a.names))
	for i, name := range a.names {
		balances[name] = a.balances[i]
	}
	return balances
}

func (a *accounts) add(name string, amount wallet.Amount) {
	i, found := a.byName[name]
	if !found {
		i = uint32(len(a.names))
		a.names = append(a.names, name)
		a.balances = append(a.balances, 0)
		a.byName[name] = i
	}
	a.balances[i] += amount
}

// earn moves what a page cost to the site, or back where it is negative.
func (a *accounts) earn(amount wallet.Amount) { a.balances[siteAccount] += amount }

// mayEarn judges an amount that is to reach the site: Applied or Limit.
func (a *accounts) mayEarn(amount wallet.Amount) wallet.Outcome {
	if a.balances[siteAccount]+amount > wallet.MaxAmount {
		return wallet.Limit
	}
	return wallet.Applied
}

// mayGive judges an amount that leaves an account: Applied, Insufficient, or
// Limit.
func (a *accounts) mayGive(account wallet.Account, amount wallet.Amount) wallet.Outcome {
	after := a.balance(account.Name) - amount
	switch {
	case after < 0 && !account.IsFunding():
		return wallet.Insufficient
	case after < -wallet.MaxAmount:
		return wallet.Limit
	}
	return wallet.Applied
}

// mayTake judges an amount that reaches an account: Applied or Limit.
func (a *accounts) mayTake(account wallet.Account, amount wallet.Amount) wallet.Outcome {
	if a.balance(account.Name)+amount > wallet.MaxAmount {
		return wallet.Limit
	}
	return wallet.Applied
}

// mayTake judges an amount that reaches a wallet: Applied or Limit. What it
// holds counts, so that a hold can always come back.
func (w *purse) mayTake(amount wallet.Amount) wallet.Outcome {
	if w.available+w.held+amount > wallet.MaxAmount {
		return wallet.Limit
	}
	return wallet.Applied
}
