package ledgertest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// NewID makes an operation id of the clock's time.
func NewID(t testing.TB, clock func() time.Time) wallet.OpID {
	t.Helper()
	id, err := wallet.NewOpID(clock(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// NewDigest makes the digest of a code that nothing else has.
func NewDigest(t testing.TB) wallet.Digest {
	t.Helper()
	var d wallet.Digest
	if _, err := rand.Read(d[:]); err != nil {
		t.Fatal(err)
	}
	return d
}

// NewWallet creates a wallet in l and puts an amount into it; zero leaves it
// empty. Its generation is 1 and it cannot be recovered.
func NewWallet(t testing.TB, l wallet.Ledger, clock func() time.Time, amount wallet.Amount) wallet.WalletID {
	t.Helper()
	id, err := wallet.NewWalletID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.CreateWallet(context.Background(), wallet.CreateWallet{ID: NewID(t, clock), Wallet: id})
	if err != nil || r.Outcome != wallet.Applied {
		t.Fatalf("creating a wallet: %v, %v", r.Outcome, err)
	}
	if amount > 0 {
		Fund(t, l, clock, id, amount)
	}
	return id
}

// Fund puts an amount into a wallet, from funding:operator.
func Fund(t testing.TB, l wallet.Ledger, clock func() time.Time, id wallet.WalletID, amount wallet.Amount) {
	t.Helper()
	r, err := l.Transfer(context.Background(), wallet.Transfer{
		ID: NewID(t, clock), From: wallet.FundingOperator, To: wallet.WalletAccount(id), Amount: amount,
	})
	if err != nil || r.Outcome != wallet.Applied {
		t.Fatalf("funding a wallet with %s: %v, %v", amount, r.Outcome, err)
	}
}

// NewVoucher issues a voucher that does not expire and returns its digest.
func NewVoucher(t testing.TB, l wallet.Ledger, clock func() time.Time, value wallet.Amount) wallet.Digest {
	t.Helper()
	code := NewDigest(t)
	r, err := l.IssueVouchers(context.Background(), wallet.IssueVouchers{
		ID: NewID(t, clock), Value: value, Digests: []wallet.Digest{code},
	})
	if err != nil || r.Outcome != wallet.Applied {
		t.Fatalf("issuing a voucher: %v, %v", r.Outcome, err)
	}
	return code
}
