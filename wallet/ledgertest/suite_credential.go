package ledgertest

import "github.com/caddy-paywall/caddy-paywall/wallet"

// spending tries everything that asks for a credential and wants the same
// outcome of all of it.
func (b *trial) spending(id wallet.WalletID, generation uint32, want wallet.Receipt) {
	b.Helper()
	c, p, h := view(id, "news:/spending"), bundle(id, 1), set(id, price)
	t := pay(wallet.WalletAccount(id), wallet.Site, price)
	c.Generation, p.Generation, h.Generation, t.Generation = generation, generation, generation, generation
	expect(b, wallet.Ledger.Charge, c, want)
	expect(b, wallet.Ledger.Buy, p, want)
	want.Visits = 0
	expect(b, wallet.Ledger.Hold, h, want)
	expect(b, wallet.Ledger.Transfer, t, want)
}

var credentials = []scenario{
	{"a frozen wallet spends nothing, still reads and still receives (invariant 8)", func(b *trial) {
		w, giver := b.wallet(hundred), b.wallet(hundred)
		until := do(b, wallet.Ledger.Charge, view(w, article)).Until
		passEnd := do(b, wallet.Ledger.Buy, bundle(w, 2)).Until
		left := hundred - price - wallet.Unit
		r := expect(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w, Frozen: true, Note: "reported lost"}, wallet.Receipt{
			Outcome: wallet.Applied, Balance: left,
		})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindFreeze, Balance: left, Note: "reported lost",
		})
		b.spending(w, 1, wallet.Receipt{Outcome: wallet.Frozen, Balance: left, Visits: 2})
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{Outcome: wallet.Frozen, Balance: left, Visits: 2})
		b.stands(wallet.StandingQuery{Wallet: w, Generation: 1, Rule: rule, Resource: article}, wallet.Standing{
			Credential: wallet.Frozen, Available: left, GrantedUntil: until, Visits: 2, VisitsUntil: passEnd,
		})
		expect(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(giver), wallet.WalletAccount(w), price), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price,
		})
		b.has(w, left+price, 0)
		do(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w})
		b.stands(wallet.StandingQuery{Wallet: w, Generation: 1}, wallet.Standing{
			Credential: wallet.Applied, Available: left + price,
		})
		expect(b, wallet.Ledger.Hold, set(w, price), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: left, Until: b.now().Add(set(w, price).TTL),
		})
	}},
	{"freezing a frozen wallet is applied like any other change", func(b *trial) {
		w := b.wallet(hundred)
		for _, frozen := range []bool{true, true, false, false} {
			expect(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w, Frozen: frozen}, wallet.Receipt{
				Outcome: wallet.Applied, Balance: hundred,
			})
			if b.look(w).Frozen != frozen {
				b.Fatalf("the wallet is not as Freeze left it: frozen %v", frozen)
			}
		}
	}},
	{"a revoked credential spends nothing and learns nothing (invariant 8)", func(b *trial) {
		w := b.wallet(hundred)
		do(b, wallet.Ledger.Charge, view(w, article))
		r := expect(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w, Revoke: true}, wallet.Receipt{
			Outcome: wallet.Applied, Balance: hundred - price, Generation: 2,
		})
		b.lastEntry(w, wallet.Entry{ID: r.ID, Time: r.Time, Kind: wallet.KindRekey, Balance: hundred - price})
		for _, generation := range []uint32{1, 0, 3, 1<<32 - 1} {
			b.spending(w, generation, wallet.Receipt{Outcome: wallet.Revoked})
		}
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{Outcome: wallet.Revoked})
		until := b.now().Add(window)
		for _, generation := range []uint32{1, 3} {
			b.stands(wallet.StandingQuery{Wallet: w, Generation: generation, Rule: rule, Resource: article},
				wallet.Standing{Credential: wallet.Revoked})
		}
		for _, generation := range []uint32{0, 2} {
			b.stands(wallet.StandingQuery{Wallet: w, Generation: generation, Rule: rule, Resource: article},
				wallet.Standing{Credential: wallet.Applied, Available: hundred - price, GrantedUntil: until})
		}
		c := view(w, article)
		c.Generation = 2
		expect(b, wallet.Ledger.Charge, c, wallet.Receipt{
			Outcome: wallet.Granted, Balance: hundred - price, Until: until,
		})
	}},
	{"a wallet that is not there spends nothing", func(b *trial) {
		b.spending(wallet.WalletID{1}, 1, wallet.Receipt{Outcome: wallet.NotFound})
		b.stands(wallet.StandingQuery{Wallet: wallet.WalletID{1}, Rule: rule, Resource: article},
			wallet.Standing{Credential: wallet.NotFound})
		expect(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: wallet.WalletID{1}}, wallet.Receipt{Outcome: wallet.NotFound})
		expect(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: wallet.WalletID{1}}, wallet.Receipt{Outcome: wallet.NotFound})
	}},
	{"of several reasons to refuse, revoked comes before frozen and frozen before the money", func(b *trial) {
		w := b.wallet(0)
		do(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w, Frozen: true})
		b.spending(w, 1, wallet.Receipt{Outcome: wallet.Frozen})
		do(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w, Revoke: true})
		b.spending(w, 1, wallet.Receipt{Outcome: wallet.Revoked})
		b.spending(w, 2, wallet.Receipt{Outcome: wallet.Frozen})
	}},
}
