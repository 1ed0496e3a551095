package redis

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// operations are one of each kind, with all fields set.
func operations() []any {
	id, w := wallet.OpID{1, 2, 3, 4, 5, 6, 0x70, 7, 0x80, 8}, wallet.WalletID{9, 10}
	return []any{
		wallet.Charge{ID: id, Wallet: w, Generation: 1, Rule: "news", Resource: "news:/a", Price: 100_000, Window: time.Hour, Ahead: true},
		wallet.Purchase{ID: id, Wallet: w, Generation: 2, Rule: "news", Price: 1, Visits: 10, Validity: time.Minute},
		wallet.Settlement{ID: id, Wallet: w, Resource: "news:/a", Charge: id, Delivered: true},
		wallet.Transfer{ID: id, From: wallet.WalletAccount(w), To: wallet.Account{Name: "charity"}, Generation: 1, Amount: wallet.MaxAmount, Note: "lunch"},
		wallet.Transfer{ID: id, From: wallet.FundingOperator, To: wallet.WalletAccount(w), Amount: 5},
		wallet.Hold{ID: id, Wallet: w, Generation: 1, Amount: 5, TTL: time.Second},
		wallet.Capture{ID: id, Wallet: w, Hold: id, Amount: 3, Rule: "news", Resource: "news:/a", Window: time.Hour},
		wallet.Release{ID: id, Wallet: w, Hold: id},
		wallet.CreateWallet{ID: id, Wallet: w, Recovery: wallet.Digest{1}},
		wallet.Rekey{ID: id, Wallet: w, Recovery: wallet.Digest{2}, Revoke: true},
		wallet.Freeze{ID: id, Wallet: w, Frozen: true, Note: "lost"},
		wallet.IssueVouchers{ID: id, Value: 7, Expires: time.UnixMilli(1_800_000_000_000).UTC(), Note: "fair", Digests: []wallet.Digest{{3}, {4}}},
		wallet.Redeem{ID: id, Wallet: w, Code: wallet.Digest{5}},
		wallet.VoidVoucher{ID: id, Serial: 12, Note: "misprint"},
		wallet.Put{ID: id, Register: "card:\xff", Before: id, Value: "\x00"},
	}
}

// askedOf is an operation as the journal keeps it.
func askedOf(op any) asked {
	switch op := op.(type) {
	case wallet.Charge:
		return askedOfCharge(&op)
	case wallet.Purchase:
		return askedOfPurchase(&op)
	case wallet.Settlement:
		return askedOfSettlement(&op)
	case wallet.Transfer:
		about := op.From.Wallet
		if !op.From.IsWallet() {
			about = op.To.Wallet
		}
		return askedOfTransfer(&op, about)
	case wallet.Hold:
		return askedOfHold(&op)
	case wallet.Capture:
		return askedOfCapture(&op)
	case wallet.Release:
		return askedOfRelease(&op)
	case wallet.CreateWallet:
		return askedOfCreate(&op)
	case wallet.Rekey:
		return askedOfRekey(&op)
	case wallet.Freeze:
		return askedOfFreeze(&op)
	case wallet.IssueVouchers:
		return askedOfIssue(&op)
	case wallet.Redeem:
		return askedOfRedeem(&op)
	case wallet.Put:
		return askedOfPut(&op)
	}
	v := op.(wallet.VoidVoucher)
	return askedOfVoid(&v)
}

// What the journal says was asked is what was asked (invariant 7).
func TestAnOperationReadsAsItWasWritten(t *testing.T) {
	for _, op := range operations() {
		got, err := askedOf(op).operation()
		if err != nil || !reflect.DeepEqual(got, op) {
			t.Errorf("%T reads as\n%+v, %v, want\n%+v", op, got, err, op)
		}
	}
}

// Whatever the servers hand back: an operation that reads is one that was written so, and
// nothing is read out of bounds.
func FuzzOperation(f *testing.F) {
	for _, op := range operations() {
		f.Add([]byte(askedOf(op)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		op, err := asked(b).operation()
		if err != nil {
			return
		}
		again, err := askedOf(op).operation()
		if err != nil || !reflect.DeepEqual(op, again) {
			t.Errorf("%+v is written and read as %+v, %v", op, again, err)
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add([]byte{entryVersion, 0, 0, 0, 0, 0, 0})
	for _, op := range operations() {
		body := append([]byte{byte(wallet.KindCharge), 0, 0}, make([]byte, 14)...)
		body = append(body, askedOf(op)...)
		f.Add(append(append([]byte{entryVersion, 1, 0, 0, 0, 0, 0}, appendUint(nil, uint64(len(body)), 2)...), body...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := records(7, string(b))
		if err != nil {
			return
		}
		books := newBooks()
		for i := range all {
			if all[i].position != 7*places+uint64(i) {
				t.Errorf("record %d is at %d", i, all[i].position)
			}
			_ = books.fold(&all[i]) // it must not panic
			_, _ = all[i].receipt(wallet.Replayed)
			_, _ = all[i].entry(wallet.WalletID{9, 10})
		}
	})
}

func FuzzWalletVoucherAndParcel(f *testing.F) {
	f.Add(bytes.Repeat([]byte{0}, 44))
	f.Add(append(bytes.Repeat([]byte{0xff}, 44), make([]byte, 200)...))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = decodePurse(wallet.WalletID{1}, string(b), 5)
		_, _ = decodeVoucher(1, string(b), 5)
		_, _ = decodeParcel("1", string(b))
		_, _ = decodeKept(string(b))
		var r reply
		_ = r.decode([]any{string(b), string(b)})
	})
}
