package ledgertest

import (
	"reflect"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// about is the wallet that an operation is about, with which its id is
// remembered: the one that its receipt shows. It is zero for vouchers issued or
// voided, which are about none.
func about(op any) wallet.WalletID {
	switch op := op.(type) {
	case wallet.Transfer:
		if op.From.IsWallet() {
			return op.From.Wallet
		}
		return op.To.Wallet
	case wallet.IssueVouchers, wallet.VoidVoucher:
		return wallet.WalletID{}
	}
	return reflect.ValueOf(op).FieldByName("Wallet").Interface().(wallet.WalletID)
}
