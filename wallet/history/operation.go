package history

import (
	"context"
	"fmt"
	"reflect"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// operations are the names of what a deed can be, as the file has them.
var operations = map[string]reflect.Type{
	"charge":   reflect.TypeFor[wallet.Charge](),
	"buy":      reflect.TypeFor[wallet.Purchase](),
	"settle":   reflect.TypeFor[wallet.Settlement](),
	"transfer": reflect.TypeFor[wallet.Transfer](),
	"hold":     reflect.TypeFor[wallet.Hold](),
	"capture":  reflect.TypeFor[wallet.Capture](),
	"release":  reflect.TypeFor[wallet.Release](),
	"create":   reflect.TypeFor[wallet.CreateWallet](),
	"rekey":    reflect.TypeFor[wallet.Rekey](),
	"freeze":   reflect.TypeFor[wallet.Freeze](),
	"issue":    reflect.TypeFor[wallet.IssueVouchers](),
	"redeem":   reflect.TypeFor[wallet.Redeem](),
	"void":     reflect.TypeFor[wallet.VoidVoucher](),
	"put":      reflect.TypeFor[wallet.Put](),
	"moment":   reflect.TypeFor[Moment](),
}

// names are those of operations, by type.
var names = func() map[reflect.Type]string {
	names := make(map[reflect.Type]string, len(operations))
	for name, of := range operations {
		names[of] = name
	}
	return names
}()

// do carries an operation out.
func do(ctx context.Context, l wallet.Ledger, op any) (wallet.Receipt, error) {
	switch op := op.(type) {
	case wallet.Charge:
		return l.Charge(ctx, op)
	case wallet.Purchase:
		return l.Buy(ctx, op)
	case wallet.Settlement:
		return l.Settle(ctx, op)
	case wallet.Transfer:
		return l.Transfer(ctx, op)
	case wallet.Hold:
		return l.Hold(ctx, op)
	case wallet.Capture:
		return l.Capture(ctx, op)
	case wallet.Release:
		return l.Release(ctx, op)
	case wallet.CreateWallet:
		return l.CreateWallet(ctx, op)
	case wallet.Rekey:
		return l.Rekey(ctx, op)
	case wallet.Freeze:
		return l.Freeze(ctx, op)
	case wallet.IssueVouchers:
		return l.IssueVouchers(ctx, op)
	case wallet.Redeem:
		return l.Redeem(ctx, op)
	case wallet.VoidVoucher:
		return l.VoidVoucher(ctx, op)
	case wallet.Put:
		return l.Put(ctx, op)
	case Moment:
		_, _, err := l.Wallets(ctx, "", 1) // any answer shows the holds as they are by then
		return wallet.Receipt{Outcome: wallet.Applied}, err
	}
	return wallet.Receipt{}, fmt.Errorf("a %T is no operation of a ledger", op)
}
