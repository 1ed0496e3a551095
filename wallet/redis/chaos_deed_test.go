package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// deed is one operation of a client's and what the client knows of it. A client that
// gets no answer asks again with the same id (invariant 6), so it is one deed, however
// often it was asked for.
type deed struct {
	op       any           // of package wallet; a WalletID asks for the wallet
	id       wallet.OpID   // zero where it changes nothing
	called   time.Duration // for the first time, since the run began
	returned time.Duration // with the answer
	failed   bool          // it was asked for in vain before, and may have taken effect
	answered bool          // else its outcome is unknown
	never    bool          // it was found out at the end that it never took effect
	said
}

// said is what a ledger says to an operation.
type said struct {
	receipt  wallet.Receipt
	wallet   wallet.Wallet
	standing wallet.Standing
}

// done reports whether the deed is known to have taken effect.
func (d *deed) done() bool { return d.answered && d.receipt.Outcome.Done() }

// reads reports whether the deed changes nothing.
func (d *deed) reads() bool { return d.id == wallet.OpID{} }

// carry carries an operation out on a ledger.
func carry(ctx context.Context, l wallet.Ledger, op any) (s said, err error) {
	switch op := op.(type) {
	case wallet.Charge:
		s.receipt, err = l.Charge(ctx, op)
	case wallet.Settlement:
		s.receipt, err = l.Settle(ctx, op)
	case wallet.Transfer:
		s.receipt, err = l.Transfer(ctx, op)
	case wallet.Hold:
		s.receipt, err = l.Hold(ctx, op)
	case wallet.Capture:
		s.receipt, err = l.Capture(ctx, op)
	case wallet.Release:
		s.receipt, err = l.Release(ctx, op)
	case wallet.WalletID:
		s.wallet, err = l.Wallet(ctx, op)
	case wallet.StandingQuery:
		s.standing, err = l.Standing(ctx, op)
	default:
		panic(fmt.Sprintf("no client asks for %T", op))
	}
	return s, err
}

// idOf is an operation's id, or zero.
func idOf(op any) wallet.OpID {
	switch op := op.(type) {
	case wallet.Charge:
		return op.ID
	case wallet.Settlement:
		return op.ID
	case wallet.Transfer:
		return op.ID
	case wallet.Hold:
		return op.ID
	case wallet.Capture:
		return op.ID
	case wallet.Release:
		return op.ID
	}
	return wallet.OpID{}
}

// giverAndReceiver are the wallets that an operation is about: that of the receipt's
// balance first, but for a top-up, which has none that gives.
func giverAndReceiver(op any) (giver, receiver wallet.WalletID) {
	switch op := op.(type) {
	case wallet.Charge:
		return op.Wallet, receiver
	case wallet.Settlement:
		return op.Wallet, receiver
	case wallet.Transfer:
		return op.From.Wallet, op.To.Wallet
	case wallet.Hold:
		return op.Wallet, receiver
	case wallet.Capture:
		return op.Wallet, receiver
	case wallet.Release:
		return op.Wallet, receiver
	case wallet.WalletID:
		return op, receiver
	case wallet.StandingQuery:
		return op.Wallet, receiver
	}
	return giver, receiver
}
