package history

import (
	"context"
	"fmt"
	"reflect"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// player does deeds again.
//
// An engine may know an id only for the wallet that it came with, so that its
// history has one id for several wallets: a reader who has two can make that so.
// In a ledger that knows an id for all of them, the later ones get another id of
// the same time, or nobody could ever move away from the one that does not.
type player struct {
	l   wallet.Ledger
	ids map[ofWallet]wallet.OpID // the other ids of charges and holds, which later deeds name
}

type ofWallet struct {
	wallet wallet.WalletID
	id     wallet.OpID
}

// repeat does a deed again, which must come to the same.
func (p *player) repeat(ctx context.Context, number int, d Deed) error {
	op := p.renamed(d.Op)
	r, err := do(ctx, p.l, op)
	if err == nil && r.Outcome == wallet.Conflict {
		r, err = do(ctx, p.l, p.rename(op))
	}
	switch {
	case err != nil:
		return fmt.Errorf("line %d: %w", number, err)
	case r.Outcome != wallet.Applied:
		return fmt.Errorf("%w: line %d is answered: %v", ErrDiffers, number, r.Outcome)
	case r.Amount != d.Amount || r.Balance != d.Balance:
		return fmt.Errorf("%w: line %d moves %s and leaves %s, and was to move %s and leave %s",
			ErrDiffers, number, r.Amount, r.Balance, d.Amount, d.Balance)
	}
	return nil
}

// rename is the operation under another id, which depends on the file alone.
func (p *player) rename(op any) any {
	renamed := reflect.New(reflect.TypeOf(op)).Elem()
	renamed.Set(reflect.ValueOf(op))
	id := renamed.FieldByName("ID").Addr().Interface().(*wallet.OpID)
	was := *id
	of := About(op)
	*id = was.Derive([]byte("moved"), of[:])
	switch op.(type) {
	case wallet.Charge, wallet.Hold:
		p.ids[ofWallet{of, was}] = *id
	}
	return renamed.Interface()
}

// About is the wallet that an operation is about, with which its id is remembered: the one
// that its receipt shows. It is zero for vouchers issued or voided and for registers, which
// are about none.
// op is one of the operations of package wallet.
func About(op any) wallet.WalletID {
	switch op := op.(type) {
	case wallet.Transfer:
		if op.From.IsWallet() {
			return op.From.Wallet
		}
		return op.To.Wallet
	case wallet.IssueVouchers, wallet.VoidVoucher, wallet.Put:
		return wallet.WalletID{}
	}
	return reflect.ValueOf(op).FieldByName("Wallet").Interface().(wallet.WalletID)
}

// renamed is the operation with what the charge or hold that it names is called
// here.
func (p *player) renamed(op any) any {
	switch op := op.(type) {
	case wallet.Settlement:
		op.Charge = p.here(op.Wallet, op.Charge)
		return op
	case wallet.Capture:
		op.Hold = p.here(op.Wallet, op.Hold)
		return op
	case wallet.Release:
		op.Hold = p.here(op.Wallet, op.Hold)
		return op
	}
	return op
}

func (p *player) here(of wallet.WalletID, id wallet.OpID) wallet.OpID {
	if other, renamed := p.ids[ofWallet{of, id}]; renamed {
		return other
	}
	return id
}
