package ledgertest

import (
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Accounts of a provider, and one that is neither a wallet's nor a provider's.
var (
	card    = wallet.Account{Name: "funding:card"}
	charity = wallet.Account{Name: "charity"}
)

var transfers = []scenario{
	{"a transfer between wallets moves the amount and shows in both (invariants 1, 7)", func(b *trial) {
		from, to := b.wallet(hundred), b.wallet(price)
		r := expect(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(from), wallet.WalletAccount(to), wallet.Unit), wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred - wallet.Unit,
		})
		b.has(from, hundred-wallet.Unit, 0)
		b.has(to, price+wallet.Unit, 0)
		given := wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindTransfer, Amount: -wallet.Unit, Balance: hundred - wallet.Unit,
			Other: wallet.WalletAccount(to), Note: "lunch",
		}
		b.lastEntry(from, given)
		got := given
		got.Amount, got.Balance, got.Other = wallet.Unit, price+wallet.Unit, wallet.WalletAccount(from)
		b.lastEntry(to, got)
	}},
	{"a top-up moves money from its funding account, which may be negative (invariant 1)", func(b *trial) {
		w := b.wallet(0)
		r := expect(b, wallet.Ledger.Transfer, pay(card, wallet.WalletAccount(w), hundred), wallet.Receipt{
			Outcome: wallet.Applied, Amount: hundred, Balance: hundred,
		})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindTransfer, Amount: hundred, Balance: hundred, Other: card, Note: "lunch",
		})
		b.audited(wallet.Audit{Wallets: 1, Available: hundred, Funding: -hundred})
		expect(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(w), card, price), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price,
		})
		b.audited(wallet.Audit{Wallets: 1, Available: hundred - price, Funding: -hundred + price})
	}},
	{"the site pays back what it has and not more (invariant 2)", func(b *trial) {
		w := b.wallet(hundred)
		do(b, wallet.Ledger.Charge, view(w, article))
		expect(b, wallet.Ledger.Transfer, pay(wallet.Site, wallet.WalletAccount(w), price+1), wallet.Receipt{
			Outcome: wallet.Insufficient, Balance: hundred - price,
		})
		expect(b, wallet.Ledger.Transfer, pay(wallet.Site, wallet.WalletAccount(w), price), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred,
		})
		b.audited(wallet.Audit{Wallets: 1, Available: hundred, Funding: -hundred})
	}},
	{"an account of any other name keeps what it is given and is never negative (invariants 1, 2)", func(b *trial) {
		w := b.wallet(hundred)
		expect(b, wallet.Ledger.Transfer, pay(charity, wallet.WalletAccount(w), 1), wallet.Receipt{
			Outcome: wallet.Insufficient, Balance: hundred,
		})
		do(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(w), charity, price))
		b.audited(wallet.Audit{Wallets: 1, Available: hundred - price, Funding: -hundred})
		expect(b, wallet.Ledger.Transfer, pay(charity, wallet.WalletAccount(w), price), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred,
		})
	}},
	{"a funding account without a provider's name is not one (invariant 2)", func(b *trial) {
		w := b.wallet(0)
		expect(b, wallet.Ledger.Transfer, pay(wallet.Account{Name: "funding:"}, wallet.WalletAccount(w), 1), wallet.Receipt{
			Outcome: wallet.Insufficient,
		})
	}},
	{"a wallet gives no more than it has, and held money is not there to give (invariant 2)", func(b *trial) {
		w := b.wallet(hundred)
		do(b, wallet.Ledger.Hold, set(w, price))
		expect(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(w), wallet.Site, hundred-price+1), wallet.Receipt{
			Outcome: wallet.Insufficient, Balance: hundred - price,
		})
		expect(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(w), wallet.Site, hundred-price), wallet.Receipt{
			Outcome: wallet.Applied, Amount: hundred - price,
		})
	}},
	{"a transfer from or to a wallet that is not there is not found, whoever else is in it", func(b *trial) {
		w, nobody := b.wallet(hundred), wallet.WalletAccount(wallet.WalletID{1})
		do(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w, Frozen: true})
		for _, t := range []wallet.Transfer{
			pay(wallet.WalletAccount(w), nobody, price), pay(nobody, wallet.WalletAccount(w), price),
			pay(card, nobody, price), pay(nobody, card, price),
		} {
			expect(b, wallet.Ledger.Transfer, t, wallet.Receipt{Outcome: wallet.NotFound})
		}
	}},
	{"no balance passes the limit, and one that would is refused (invariants 1, 2)", func(b *trial) {
		w := b.wallet(0)
		full := pay(card, wallet.WalletAccount(w), wallet.MaxAmount)
		expect(b, wallet.Ledger.Transfer, full, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.MaxAmount, Balance: wallet.MaxAmount,
		})
		expect(b, wallet.Ledger.Transfer, pay(wallet.FundingOperator, wallet.WalletAccount(w), 1), wallet.Receipt{
			Outcome: wallet.Limit, Balance: wallet.MaxAmount,
		})
		expect(b, wallet.Ledger.Transfer, pay(card, wallet.WalletAccount(b.neighbour(w)), 1), wallet.Receipt{Outcome: wallet.Limit})
		other := b.wallet(1)
		expect(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(other), wallet.WalletAccount(w), 1), wallet.Receipt{
			Outcome: wallet.Limit, Balance: 1,
		})
		expect(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(other), wallet.WalletAccount(w), 2), wallet.Receipt{
			Outcome: wallet.Insufficient, Balance: 1,
		})
	}},
	{"a full site sells nothing more (invariant 2)", func(b *trial) {
		rich := b.wallet(wallet.MaxAmount)
		w := b.neighbour(rich)
		do(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(rich), wallet.Site, wallet.MaxAmount))
		do(b, wallet.Ledger.Transfer, pay(card, wallet.WalletAccount(w), hundred))
		h := withID(set(w, wallet.Unit), b.id())
		do(b, wallet.Ledger.Hold, h)
		left := hundred - wallet.Unit
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{Outcome: wallet.Limit, Balance: left})
		expect(b, wallet.Ledger.Buy, bundle(w, 1), wallet.Receipt{Outcome: wallet.Limit, Balance: left})
		expect(b, wallet.Ledger.Capture, wallet.Capture{
			Wallet: w, Hold: h.ID, Amount: 1, Rule: rule,
		}, wallet.Receipt{Outcome: wallet.Limit, Balance: left})
		b.stands(wallet.StandingQuery{Wallet: w, Resource: article}, wallet.Standing{
			Credential: wallet.Applied, Available: left,
		})
	}},
}

// audited checks the audit, but for how many records the journal has.
func (b *trial) audited(want wallet.Audit) {
	b.Helper()
	got, err := b.l.Verify(b.Context())
	want.Entries = got.Entries
	if err != nil || !same(got, want) {
		b.Fatalf("invariant 1: Verify answered %+v, %v, want %+v", got, err, want)
	}
}
