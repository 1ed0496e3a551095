package ledgertest

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// issue makes n vouchers of one unit that expire in a day.
func (b *trial) issue(n int) ([]wallet.Digest, wallet.IssueVouchers, wallet.Receipt) {
	b.Helper()
	i := wallet.IssueVouchers{Value: wallet.Unit, Expires: b.now().Add(24 * time.Hour), Note: "fair"}
	for range n {
		i.Digests = append(i.Digests, NewDigest(b))
	}
	return i.Digests, i, do(b, wallet.Ledger.IssueVouchers, i)
}

// voucherIs checks one voucher whole, by its digest and in the list.
func (b *trial) voucherIs(code wallet.Digest, want wallet.Voucher) {
	b.Helper()
	got, err := b.l.Voucher(b.Context(), code)
	if err != nil || !same(got, want) {
		b.Fatalf("the voucher is %+v, %v, want %+v", got, err, want)
	}
	if listed := b.snapshot().Vouchers[want.Serial-1]; !same(listed, want) {
		b.Fatalf("the list has the voucher %+v, want %+v", listed, want)
	}
}

func issued(serial uint64, i wallet.IssueVouchers, at time.Time) wallet.Voucher {
	return wallet.Voucher{
		Serial: serial, Value: i.Value, State: wallet.VoucherIssued, Issued: at, Expires: i.Expires, Note: i.Note,
	}
}

var issuing = []scenario{
	{"vouchers are numbered from 1 without gaps and issuing moves no money (invariant 1)", func(b *trial) {
		codes, i, r := b.issue(3)
		if r.Serial != 1 {
			b.Fatalf("the first serial number is %d, want 1", r.Serial)
		}
		for n, code := range codes {
			b.voucherIs(code, issued(uint64(n)+1, i, b.now()))
		}
		b.audited(wallet.Audit{})
		expect(b, wallet.Ledger.IssueVouchers, i, wallet.Receipt{Outcome: wallet.Conflict})
		i.Digests = []wallet.Digest{NewDigest(b)}
		expect(b, wallet.Ledger.IssueVouchers, i, wallet.Receipt{Outcome: wallet.Applied, Serial: 4})
	}},
	{"a voucher digest that is there already is a conflict, and none of the batch is issued", func(b *trial) {
		codes, i, _ := b.issue(1)
		fresh := NewDigest(b)
		i.Digests = []wallet.Digest{fresh, codes[0]}
		expect(b, wallet.Ledger.IssueVouchers, i, wallet.Receipt{Outcome: wallet.Conflict})
		i.Digests = []wallet.Digest{fresh}
		expect(b, wallet.Ledger.IssueVouchers, i, wallet.Receipt{Outcome: wallet.Applied, Serial: 2})
	}},
	{"the ledger keeps its own copy of the digests it was given", func(b *trial) {
		code, given := NewDigest(b), make([]wallet.Digest, 1)
		given[0] = code
		i := withID(wallet.IssueVouchers{Value: wallet.Unit, Digests: given}, b.id())
		first := do(b, wallet.Ledger.IssueVouchers, i)
		given[0] = NewDigest(b)
		if _, err := b.l.Voucher(b.Context(), code); err != nil {
			b.Fatalf("the voucher is gone: %v", err)
		}
		i.Digests = []wallet.Digest{code}
		again(b, wallet.Ledger.IssueVouchers, i, first)
	}},
	{"a voucher that is voided is worthless, and its note says why (invariant 3)", func(b *trial) {
		codes, i, first := b.issue(2)
		w := b.wallet(0)
		expect(b, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: 1, Note: "stolen"}, wallet.Receipt{Outcome: wallet.Applied})
		expect(b, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: 2}, wallet.Receipt{Outcome: wallet.Applied})
		want := issued(1, i, first.Time)
		want.State, want.Note = wallet.VoucherVoid, "stolen"
		b.voucherIs(codes[0], want)
		want.Serial, want.Note = 2, i.Note
		b.voucherIs(codes[1], want)
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: codes[0]}, wallet.Receipt{Outcome: wallet.Void})
		expect(b, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: 1}, wallet.Receipt{Outcome: wallet.Void})
		b.clock.Advance(24 * time.Hour)
		b.voucherIs(codes[1], want)
	}},
	{"only a voucher that is there can be voided", func(b *trial) {
		b.issue(1)
		for _, serial := range []uint64{0, 2, 1 << 53, 1<<64 - 1} {
			expect(b, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: serial}, wallet.Receipt{Outcome: wallet.NotFound})
		}
	}},
}

var redeeming = []scenario{
	{"a voucher moves its value into a wallet, once (invariants 1, 3)", func(b *trial) {
		codes, i, first := b.issue(2)
		w, other := b.wallet(price), b.wallet(0)
		b.clock.Advance(time.Minute)
		redeem := withID(wallet.Redeem{Wallet: w, Code: codes[0]}, b.id())
		r := expect(b, wallet.Ledger.Redeem, redeem, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: price + wallet.Unit,
		})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindRedeem, Amount: wallet.Unit, Balance: price + wallet.Unit,
		})
		want := issued(1, i, first.Time)
		want.State, want.Redeemed, want.Wallet = wallet.VoucherRedeemed, b.now(), w
		b.voucherIs(codes[0], want)
		b.audited(wallet.Audit{Wallets: 2, Available: price + wallet.Unit, Funding: -price - wallet.Unit})
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: codes[0]}, wallet.Receipt{
			Outcome: wallet.Spent, Balance: price + wallet.Unit,
		})
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: other, Code: codes[0]}, wallet.Receipt{Outcome: wallet.Spent})
		expect(b, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: 1}, wallet.Receipt{Outcome: wallet.Spent})
		again(b, wallet.Ledger.Redeem, redeem, r)
		b.clock.Advance(24 * time.Hour)
		b.voucherIs(codes[0], want)
	}},
	{"a voucher is good before it expires and void from then on", func(b *trial) {
		codes, i, first := b.issue(2)
		w := b.wallet(0)
		b.clock.Advance(24*time.Hour - time.Millisecond)
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: codes[0]}, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: wallet.Unit,
		})
		b.clock.Advance(time.Millisecond)
		want := issued(2, i, first.Time)
		want.State = wallet.VoucherExpired
		b.voucherIs(codes[1], want)
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: codes[1]}, wallet.Receipt{
			Outcome: wallet.Void, Balance: wallet.Unit,
		})
		expect(b, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: 2}, wallet.Receipt{Outcome: wallet.Void})
		b.voucherIs(codes[1], want)
	}},
	{"a voucher without an expiry stays good", func(b *trial) {
		w, code := b.wallet(0), NewVoucher(b, b.l, b.clock.Now, wallet.Unit)
		b.clock.Advance(wallet.MaxValidity)
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: code}, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: wallet.Unit,
		})
	}},
	{"a voucher issued after its expiry is worth nothing from the start", func(b *trial) {
		w, code := b.wallet(0), NewDigest(b)
		do(b, wallet.Ledger.IssueVouchers, wallet.IssueVouchers{
			Value: wallet.Unit, Expires: b.now(), Digests: []wallet.Digest{code},
		})
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: code}, wallet.Receipt{Outcome: wallet.Void})
	}},
	{"a code or a wallet that is not there is not found", func(b *trial) {
		codes, _, _ := b.issue(1)
		w := b.wallet(0)
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: wallet.WalletID{1}, Code: codes[0]}, wallet.Receipt{Outcome: wallet.NotFound})
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: NewDigest(b)}, wallet.Receipt{Outcome: wallet.NotFound})
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w}, wallet.Receipt{Outcome: wallet.NotFound})
	}},
	{"a frozen wallet may redeem, a full one may not (invariant 2)", func(b *trial) {
		codes, _, _ := b.issue(1)
		w, full := b.wallet(0), b.wallet(wallet.MaxAmount-wallet.Unit+1)
		do(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w, Frozen: true})
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: full, Code: codes[0]}, wallet.Receipt{
			Outcome: wallet.Limit, Balance: wallet.MaxAmount - wallet.Unit + 1,
		})
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: codes[0]}, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: wallet.Unit,
		})
	}},
	{"vouchers bring in no more than their funding account may owe (invariant 1)", func(b *trial) {
		rich := b.wallet(0)
		w := b.neighbour(rich)
		big := NewVoucher(b, b.l, b.clock.Now, wallet.MaxAmount)
		small := NewVoucher(b, b.l, b.clock.Now, 1)
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: rich, Code: big}, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.MaxAmount, Balance: wallet.MaxAmount,
		})
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: small}, wallet.Receipt{Outcome: wallet.Limit})
	}},
}
