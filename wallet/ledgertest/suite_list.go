package ledgertest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// pages reads a listing in pages and checks that every page but the last is
// full and the last not empty.
func pages[T any](b *trial, limit int, page func(cursor string, limit int) ([]T, string, error)) []T {
	b.Helper()
	sizes := []int{}
	items, err := all(func(cursor string) ([]T, string, error) {
		some, next, err := page(cursor, limit)
		sizes = append(sizes, len(some))
		if next != "" && len(some) != limit {
			b.Fatalf("a page of %d items before the last, want %d", len(some), limit)
		}
		return some, next, err
	})
	if err != nil {
		b.Fatal(err)
	}
	if last := sizes[len(sizes)-1]; last == 0 && len(items) > 0 {
		b.Fatalf("an empty page after the last: pages of %v", sizes)
	}
	return items
}

func (b *trial) wallets(cursor string, limit int) ([]wallet.Wallet, string, error) {
	return b.l.Wallets(b.Context(), cursor, limit)
}

func (b *trial) vouchers(cursor string, limit int) ([]wallet.Voucher, string, error) {
	return b.l.Vouchers(b.Context(), cursor, limit)
}

func (b *trial) entriesOf(id wallet.WalletID) func(cursor string, limit int) ([]wallet.Entry, string, error) {
	return func(cursor string, limit int) ([]wallet.Entry, string, error) {
		return b.l.Entries(b.Context(), id, cursor, limit)
	}
}

// forged are cursors that no ledger gives out.
var forged = []string{
	" ", "0", "-1", "1", "x", "\x00", "../..", "null", "99999999999999999999",
	"wallets:", "wallets:-1", "wallets:99", "vouchers:99", "entries:0",
	strings.Repeat("A", 1<<16), "\xff\xfe", "AAAAAAAAAAAAAAAAAAAAAA==", "7f7f7f7f7f7f7f7f",
}

var listings = []scenario{
	{"wallets are listed in order of creation, in pages of any size", func(b *trial) {
		var want []wallet.Wallet
		for range 6 {
			want = append(want, b.look(b.wallet(price)))
			b.clock.Advance(time.Second)
		}
		for _, limit := range []int{1, 2, 3, 4, 6, 7, wallet.MaxPage} {
			if got := pages(b, limit, b.wallets); !same(got, want) {
				b.Fatalf("pages of %d list %+v, want %+v", limit, got, want)
			}
		}
	}},
	{"vouchers are listed by serial number, in pages of any size", func(b *trial) {
		_, i, _ := b.issue(6)
		for _, limit := range []int{1, 2, 4, 6, wallet.MaxPage} {
			got := pages(b, limit, b.vouchers)
			for n := range got {
				if want := issued(uint64(n)+1, i, b.now()); len(got) != 6 || !same(got[n], want) {
					b.Fatalf("pages of %d list %+v, want %+v among 6", limit, got[n], want)
				}
			}
		}
	}},
	{"the entries of a wallet are its own, newest first, and add up to its balance (invariant 7)", func(b *trial) {
		w, other := b.wallet(hundred), b.wallet(hundred)
		for n := range 4 {
			do(b, wallet.Ledger.Charge, view(w, article+string(rune('0'+n))))
			do(b, wallet.Ledger.Charge, view(other, article+string(rune('0'+n))))
			b.clock.Advance(time.Second)
		}
		want := pages(b, wallet.MaxPage, b.entriesOf(w))
		var kinds []wallet.Kind
		var sum wallet.Amount
		for _, e := range slices.Backward(want) {
			kinds = append(kinds, e.Kind)
			if sum += e.Amount; sum != e.Balance {
				b.Fatalf("invariant 7: the entries add up to %s, the balance is %s", sum, e.Balance)
			}
		}
		charge := wallet.KindCharge
		if !slices.Equal(kinds, []wallet.Kind{wallet.KindCreate, wallet.KindTransfer, charge, charge, charge, charge}) {
			b.Fatalf("the entries are of kinds %v", kinds)
		}
		for _, limit := range []int{1, 2, 3, 5, 6} {
			if got := pages(b, limit, b.entriesOf(w)); !same(got, want) {
				b.Fatalf("pages of %d list %+v, want %+v", limit, got, want)
			}
		}
	}},
	{"a page goes on where the last one ended, whatever has happened since", func(b *trial) {
		w := b.wallet(hundred)
		b.wallet(0)
		old := pages(b, wallet.MaxPage, b.entriesOf(w))
		_, entryCursor, err := b.entriesOf(w)("", 1)
		if err != nil {
			b.Fatal(err)
		}
		_, walletCursor, err := b.wallets("", 1)
		if err != nil {
			b.Fatal(err)
		}
		do(b, wallet.Ledger.Charge, view(w, article))
		late := b.wallet(0)
		if rest, next, err := b.entriesOf(w)(entryCursor, 5); err != nil || next != "" || !same(rest, old[1:]) {
			b.Errorf("the rest of the entries is %+v, %q, %v, want %+v", rest, next, err, old[1:])
		}
		rest, next, err := b.wallets(walletCursor, 5)
		if err != nil || next != "" || len(rest) != 2 || rest[1].ID != late {
			b.Errorf("the rest of the wallets is %+v, %q, %v, want two and %s last", rest, next, err, late)
		}
	}},
	{"an empty listing is one empty page", func(b *trial) {
		if page, next, err := b.wallets("", 1); len(page) != 0 || next != "" || err != nil {
			b.Errorf("Wallets: %v, %q, %v", page, next, err)
		}
		if page, next, err := b.vouchers("", 1); len(page) != 0 || next != "" || err != nil {
			b.Errorf("Vouchers: %v, %q, %v", page, next, err)
		}
	}},
	{"a forged cursor is invalid, and so is one of another listing or another wallet", func(b *trial) {
		w, other := b.wallet(hundred), b.wallet(hundred)
		b.issue(2)
		_, ofWallets, _ := b.wallets("", 1)
		_, ofVouchers, _ := b.vouchers("", 1)
		_, ofEntries, _ := b.entriesOf(w)("", 1)
		_, ofOthers, _ := b.entriesOf(other)("", 1)
		if ofWallets == "" || ofVouchers == "" || ofEntries == "" || ofOthers == "" {
			b.Fatal("a listing of two items has no second page")
		}
		for _, cursor := range slices.Concat(forged, []string{ofVouchers, ofEntries, ofWallets + "0", ofWallets + " "}) {
			if page, _, err := b.wallets(cursor, 1); !errors.Is(err, wallet.ErrInvalid) {
				b.Errorf("Wallets at %.20q: %v, %v, want ErrInvalid", cursor, page, err)
			}
		}
		for _, cursor := range slices.Concat(forged, []string{ofWallets, ofEntries, ofVouchers + "0"}) {
			if page, _, err := b.vouchers(cursor, 1); !errors.Is(err, wallet.ErrInvalid) {
				b.Errorf("Vouchers at %.20q: %v, %v, want ErrInvalid", cursor, page, err)
			}
		}
		for _, cursor := range slices.Concat(forged, []string{ofWallets, ofVouchers, ofOthers, ofEntries + "0"}) {
			if page, _, err := b.entriesOf(w)(cursor, 1); !errors.Is(err, wallet.ErrInvalid) {
				b.Errorf("Entries at %.20q: %v, %v, want ErrInvalid", cursor, page, err)
			}
		}
	}},
	{"a page has one item at least and MaxPage at most", func(b *trial) {
		w := b.wallet(0)
		for _, limit := range []int{-1, 0, wallet.MaxPage + 1} {
			_, _, wallets := b.wallets("", limit)
			_, _, vouchers := b.vouchers("", limit)
			_, _, entries := b.entriesOf(w)("", limit)
			for _, err := range []error{wallets, vouchers, entries} {
				if !errors.Is(err, wallet.ErrInvalid) {
					b.Errorf("a page of %d: %v, want ErrInvalid", limit, err)
				}
			}
		}
	}},
}
