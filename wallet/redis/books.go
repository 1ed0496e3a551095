package redis

import (
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// books are a shard's balances as its journal gives them.
type books struct {
	wallets  map[wallet.WalletID]*bookOf
	accounts map[string]wallet.Amount
	records  uint64
}

// bookOf is a wallet's.
type bookOf struct {
	available, held wallet.Amount
	last            uint64 // position of its newest record
	made            uint64 // number of the entry that it was made in
}

func newBooks() *books {
	return &books{wallets: make(map[wallet.WalletID]*bookOf), accounts: make(map[string]wallet.Amount)}
}

// fold carries out a record. An error says that it does not follow from those before
// it: ErrCorrupt.
func (b *books) fold(r *record) error {
	b.records++
	if r.kind == kindShare {
		return b.foldShare(r)
	}
	op, err := r.asked.operation()
	if err != nil && r.flags&recordExpired == 0 {
		return fmt.Errorf("%w: the record at %d: %w", wallet.ErrCorrupt, r.position, err)
	}
	b.foldAccounts(r, op)
	if r.kind == wallet.KindIssue || r.kind == wallet.KindVoid || r.kind == wallet.KindPut {
		return nil
	}
	id := r.owner(op)
	w := b.wallets[id]
	if r.kind == wallet.KindCreate && w == nil {
		w = &bookOf{made: r.position / places}
		b.wallets[id] = w
	}
	if w == nil {
		return r.corrupt("its wallet does not exist")
	}
	w.available += r.change(op, id)
	switch r.kind {
	case wallet.KindHold:
		w.held -= r.change(op, id)
	case wallet.KindCapture, wallet.KindRelease:
		w.held -= r.held
	}
	switch {
	case w.last != r.before:
		return r.corrupt(fmt.Sprintf("its wallet's record before is at %d, and not at %d", w.last, r.before))
	case w.available != r.balance || w.available < 0 || w.held < 0:
		return r.corrupt("its wallet does not come out at the balance it says")
	}
	w.last = r.position
	if t, is := op.(wallet.Transfer); is && r.hasOther {
		other := b.wallets[t.To.Wallet]
		if other == nil {
			return r.corrupt("the wallet that receives does not exist")
		}
		other.available += t.Amount
		if other.available != r.otherBalance || other.last != r.otherBefore {
			return r.corrupt("the wallet that receives does not come out at the balance it says")
		}
		other.last = r.position
	}
	return nil
}

func (r *record) corrupt(why string) error {
	return fmt.Errorf("%w: the %s record at %d does not follow from those before it: %s", wallet.ErrCorrupt, r.kind, r.position, why)
}

// owner is the wallet whose balance the record has: what comes from another shard is
// about the wallet there.
func (r *record) owner(op any) wallet.WalletID {
	if t, is := op.(wallet.Transfer); is && r.flags&recordArrived != 0 {
		return t.To.Wallet
	}
	return r.asked.about()
}

// foldAccounts carries out what a record does to accounts with a name.
func (b *books) foldAccounts(r *record, op any) {
	site := wallet.Site.Name
	switch op := op.(type) {
	case wallet.Charge:
		if r.kind == wallet.KindCharge {
			b.accounts[site] += op.Price
		}
	case wallet.Purchase:
		b.accounts[site] += op.Price
	case wallet.Settlement:
		b.accounts[site] -= r.amount
	case wallet.Capture:
		b.accounts[site] += op.Amount
	case wallet.Redeem:
		b.accounts[wallet.FundingVoucher.Name] -= r.amount
	case wallet.Transfer:
		switch {
		case !op.From.IsWallet():
			b.accounts[op.From.Name] -= op.Amount
		case !op.To.IsWallet():
			b.accounts[op.To.Name] += op.Amount
		case r.hasOther:
		case r.flags&recordArrived != 0:
			b.accounts[transit] -= op.Amount
		default:
			b.accounts[transit] += op.Amount
		}
	}
}

// foldShare carries out the record of a part of an account that comes or goes.
func (b *books) foldShare(r *record) error {
	p, err := r.share()
	if err != nil {
		return err
	}
	amount := p.amount
	if r.flags&recordArrived == 0 {
		amount = -amount
	}
	b.accounts[p.account] += amount
	b.accounts[transit] -= amount
	return nil
}
