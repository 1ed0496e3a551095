package local

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Transfer implements [wallet.Mover].
func (l *Ledger) Transfer(ctx context.Context, t wallet.Transfer) (wallet.Receipt, error) {
	if err := t.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindTransfer)).account(t.From).account(t.To).
		number(int64(t.Generation)).number(int64(t.Amount)).text(t.Note).hash()
	return l.do(ctx, operation{t.ID, wallet.KindTransfer, asked}, func(d *decision) { d.transfer(&t) })
}

func (d *decision) transfer(t *wallet.Transfer) {
	d.record.amount, d.record.note = t.Amount, t.Note
	var to *purse
	if t.To.IsWallet() {
		if to = d.receiver(t.To.Wallet); to == nil {
			return
		}
	}
	if t.From.IsWallet() {
		d.give(t, to)
	} else {
		d.receive(t, to)
	}
}

// give decides a transfer from a wallet, to another one or to an account with a
// name, where to is nil.
func (d *decision) give(t *wallet.Transfer, to *purse) {
	r := &d.record
	toAt := r.walletAt
	from := d.spender(t.From.Wallet, t.Generation, "")
	d.rests = everything // the other side is part of the answer
	if from == nil {
		return
	}
	r.balance = from.available - t.Amount
	o := wallet.Insufficient
	switch {
	case r.balance < 0:
	case to != nil:
		r.flags, r.other, r.otherAt, r.otherBalance = flagBetween, t.To.Wallet, toAt, to.available+t.Amount
		o = to.mayTake(t.Amount)
	default:
		r.account = t.To.Name
		o = d.accounts.mayTake(t.To, t.Amount)
	}
	if o != wallet.Applied {
		d.refuseWith(o, from)
		return
	}
	d.accept()
}

// receive decides a transfer from an account with a name to a wallet.
func (d *decision) receive(t *wallet.Transfer, to *purse) {
	r := &d.record
	r.flags, r.account, r.balance = flagIncoming, t.From.Name, to.available+t.Amount
	o := d.accounts.mayGive(t.From, t.Amount)
	if o == wallet.Applied {
		o = to.mayTake(t.Amount)
	}
	if o != wallet.Applied {
		d.refuseWith(o, to)
		return
	}
	d.accept()
}
