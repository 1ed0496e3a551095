package ledgertest

import (
	"errors"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// opens checks which wallet a recovery digest opens; nil: none.
func (b *trial) opens(recovery wallet.Digest, want *wallet.WalletID) {
	b.Helper()
	got, err := b.l.WalletByRecovery(b.Context(), recovery)
	switch {
	case want == nil && !errors.Is(err, wallet.ErrNotFound):
		b.Fatalf("invariant 8: the digest opens %s, %v, want ErrNotFound", got.ID, err)
	case want != nil && (err != nil || !same(got, b.look(*want))):
		b.Fatalf("the digest opens %+v, %v, want %s", got, err, want)
	}
}

func create(recovery wallet.Digest, id byte) wallet.CreateWallet {
	return wallet.CreateWallet{Wallet: wallet.WalletID{0xc0, id}, Recovery: recovery}
}

var keeping = []scenario{
	{"a new wallet is empty, of generation 1, and opened by its recovery digest (invariant 7)", func(b *trial) {
		recovery := NewDigest(b)
		c := create(recovery, 1)
		r := expect(b, wallet.Ledger.CreateWallet, c, wallet.Receipt{Outcome: wallet.Applied, Generation: 1})
		want := wallet.Wallet{ID: c.Wallet, Generation: 1, Created: b.now()}
		if got := b.look(c.Wallet); !same(got, want) {
			b.Fatalf("the wallet is %+v, want %+v", got, want)
		}
		b.opens(recovery, &c.Wallet)
		b.lastEntry(c.Wallet, wallet.Entry{ID: r.ID, Time: r.Time, Kind: wallet.KindCreate})
	}},
	{"a wallet or a recovery digest that is there already is a conflict", func(b *trial) {
		recovery := NewDigest(b)
		do(b, wallet.Ledger.CreateWallet, create(recovery, 1))
		for _, c := range []wallet.CreateWallet{
			create(NewDigest(b), 1), create(wallet.Digest{}, 1), create(recovery, 1), create(recovery, 2),
		} {
			expect(b, wallet.Ledger.CreateWallet, c, wallet.Receipt{Outcome: wallet.Conflict})
		}
		expect(b, wallet.Ledger.CreateWallet, create(NewDigest(b), 2), wallet.Receipt{Outcome: wallet.Applied, Generation: 1})
		b.opens(recovery, &wallet.WalletID{0xc0, 1})
	}},
	{"wallets without a recovery digest are many and no digest opens them", func(b *trial) {
		for id := range byte(3) {
			expect(b, wallet.Ledger.CreateWallet, create(wallet.Digest{}, id), wallet.Receipt{
				Outcome: wallet.Applied, Generation: 1,
			})
		}
		b.opens(wallet.Digest{}, nil)
		b.opens(NewDigest(b), nil)
	}},
	{"a rekeyed wallet is opened by its new digest only (invariant 8)", func(b *trial) {
		first, second := NewDigest(b), NewDigest(b)
		w := create(first, 1).Wallet
		do(b, wallet.Ledger.CreateWallet, create(first, 1))
		expect(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w, Recovery: second}, wallet.Receipt{
			Outcome: wallet.Applied, Generation: 1,
		})
		b.opens(first, nil)
		b.opens(second, &w)
		expect(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w, Recovery: second, Revoke: true}, wallet.Receipt{
			Outcome: wallet.Applied, Generation: 2,
		})
		b.opens(second, &w)
		if got := b.look(w).Generation; got != 2 {
			b.Fatalf("invariant 8: the wallet is of generation %d, want 2", got)
		}
		expect(b, wallet.Ledger.CreateWallet, create(first, 2), wallet.Receipt{Outcome: wallet.Applied, Generation: 1})
		b.opens(first, &wallet.WalletID{0xc0, 2})
		expect(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w}, wallet.Receipt{Outcome: wallet.Applied, Generation: 2})
		b.opens(second, nil)
	}},
	{"a wallet cannot take another's recovery digest", func(b *trial) {
		mine, theirs := NewDigest(b), NewDigest(b)
		me, them := create(mine, 1).Wallet, create(theirs, 2).Wallet
		do(b, wallet.Ledger.CreateWallet, create(mine, 1))
		do(b, wallet.Ledger.CreateWallet, create(theirs, 2))
		expect(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: me, Recovery: theirs, Revoke: true}, wallet.Receipt{
			Outcome: wallet.Conflict,
		})
		b.opens(mine, &me)
		b.opens(theirs, &them)
	}},
	{"a frozen wallet can be rekeyed and stays frozen", func(b *trial) {
		w := b.wallet(hundred)
		do(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w, Frozen: true})
		expect(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w, Recovery: NewDigest(b), Revoke: true}, wallet.Receipt{
			Outcome: wallet.Applied, Balance: hundred, Generation: 2,
		})
		if !b.look(w).Frozen {
			b.Fatal("invariant 8: a new key has thawed the wallet")
		}
	}},
	{"a look-up of what is not there finds nothing", func(b *trial) {
		if _, err := b.l.Wallet(b.Context(), wallet.WalletID{1}); !errors.Is(err, wallet.ErrNotFound) {
			b.Errorf("Wallet: %v, want ErrNotFound", err)
		}
		if _, _, err := b.l.Entries(b.Context(), wallet.WalletID{1}, "", 1); !errors.Is(err, wallet.ErrNotFound) {
			b.Errorf("Entries: %v, want ErrNotFound", err)
		}
		for _, code := range []wallet.Digest{{}, NewDigest(b)} {
			if _, err := b.l.Voucher(b.Context(), code); !errors.Is(err, wallet.ErrNotFound) {
				b.Errorf("Voucher: %v, want ErrNotFound", err)
			}
		}
	}},
}
