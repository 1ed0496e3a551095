package local

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// IssueVouchers implements [wallet.VoucherKeeper].
func (l *Ledger) IssueVouchers(ctx context.Context, i wallet.IssueVouchers) (wallet.Receipt, error) {
	if err := i.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	asked := content(nil).number(int64(wallet.KindIssue)).number(int64(i.Value)).number(millis(i.Expires)).text(i.Note)
	for _, code := range i.Digests {
		asked = asked.bytes(code[:])
	}
	return l.do(ctx, operation{i.ID, wallet.KindIssue, asked.hash()}, func(d *decision) {
		for _, code := range i.Digests {
			if d.vouchers.find(code) != nil {
				d.refuse(wallet.Conflict)
				return
			}
		}
		r := &d.record
		r.amount, r.until, r.note, r.serial, r.digests = i.Value, millis(i.Expires), i.Note, d.vouchers.nextSerial(), i.Digests
		d.accept()
	})
}

// Redeem implements [wallet.VoucherKeeper].
func (l *Ledger) Redeem(ctx context.Context, r wallet.Redeem) (wallet.Receipt, error) {
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindRedeem)).bytes(r.Wallet[:]).bytes(r.Code[:]).hash()
	return l.do(ctx, operation{r.ID, wallet.KindRedeem, asked}, func(d *decision) {
		w := d.receiver(r.Wallet)
		if w == nil {
			return
		}
		v := d.vouchers.find(r.Code)
		if v == nil {
			d.refuse(wallet.NotFound)
			return
		}
		o := v.refusal(d.now)
		if o == wallet.Applied {
			o = d.accounts.mayGive(wallet.FundingVoucher, v.value)
		}
		if o == wallet.Applied {
			o = w.mayTake(v.value)
		}
		if o != wallet.Applied {
			d.refuseWith(o, w)
			return
		}
		d.record.amount, d.record.balance = v.value, w.available+v.value
		d.record.serial = d.vouchers.serial(r.Code)
		d.accept()
	})
}

// VoidVoucher implements [wallet.VoucherKeeper].
func (l *Ledger) VoidVoucher(ctx context.Context, o wallet.VoidVoucher) (wallet.Receipt, error) {
	if err := o.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindVoid)).number(int64(o.Serial)).text(o.Note).hash()
	return l.do(ctx, operation{o.ID, wallet.KindVoid, asked}, func(d *decision) {
		v := d.vouchers.bySerial(o.Serial)
		if v == nil {
			d.refuse(wallet.NotFound)
			return
		}
		if refusal := v.refusal(d.now); refusal != wallet.Applied {
			d.refuse(refusal)
			return
		}
		d.record.serial, d.record.note = o.Serial, o.Note
		d.accept()
	})
}

// Voucher implements [wallet.VoucherKeeper].
func (l *Ledger) Voucher(ctx context.Context, code wallet.Digest) (wallet.Voucher, error) {
	var shown wallet.Voucher
	err := l.look(ctx, func(now int64) (rests uint64) {
		if at, found := l.state.vouchers.byCode[code]; found {
			shown = l.state.describeVoucher(at, now)
		}
		return everything
	})
	switch {
	case err != nil:
		return wallet.Voucher{}, err
	case shown.Serial == 0:
		return wallet.Voucher{}, wallet.ErrNotFound
	}
	return shown, nil
}

// Vouchers implements [wallet.VoucherKeeper].
func (l *Ledger) Vouchers(ctx context.Context, cursor string, limit int) ([]wallet.Voucher, string, error) {
	var page []wallet.Voucher
	next, err := l.list(ctx, "vouchers", cursor, limit, func() uint32 { return l.state.vouchers.list.length },
		func(i uint32, now int64) { page = append(page, l.state.describeVoucher(i, now)) })
	if err != nil {
		return nil, "", err
	}
	return page, next, nil
}

// describeVoucher is what the ledger knows of a voucher.
func (s *state) describeVoucher(at uint32, now int64) wallet.Voucher {
	v := s.vouchers.list.at(at)
	shown := wallet.Voucher{
		Serial: uint64(at) + 1, Value: v.value, State: v.stateAt(now),
		Issued: timeOf(v.issued), Expires: timeOf(v.expires), Redeemed: timeOf(v.redeemed),
		Note: s.vouchers.notes[v.note],
	}
	if v.state == wallet.VoucherRedeemed {
		shown.Wallet = s.purses.list.at(v.wallet).id
	}
	return shown
}
