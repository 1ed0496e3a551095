package ledgertest

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// ahead charges a wallet for the article before it is delivered.
func (b *trial) ahead(id wallet.WalletID) wallet.Receipt {
	b.Helper()
	c := view(id, article)
	c.Ahead = true
	r := do(b, wallet.Ledger.Charge, c)
	if r.Outcome != wallet.Applied {
		b.Fatalf("a charge ahead answered %v", r.Outcome)
	}
	return r
}

func settle(id wallet.WalletID, delivered bool) wallet.Settlement {
	return wallet.Settlement{Wallet: id, Resource: article, Delivered: delivered}
}

var payingAhead = []scenario{
	{"a charge ahead that is delivered stays (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		until := b.ahead(w).Until
		q := wallet.StandingQuery{Wallet: w, Generation: 1, Rule: rule, Resource: article}
		b.stands(q, wallet.Standing{
			Credential: wallet.Applied, Available: hundred - price, GrantedUntil: until, Ahead: true,
		})
		r := expect(b, wallet.Ledger.Settle, settle(w, true), wallet.Receipt{
			Outcome: wallet.Applied, Balance: hundred - price, Until: until,
		})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindDeliver, Balance: hundred - price, Rule: rule, Resource: article,
		})
		b.stands(q, wallet.Standing{Credential: wallet.Applied, Available: hundred - price, GrantedUntil: until})
	}},
	{"a charge ahead that is not delivered gives the price back and ends its grant (invariants 1, 4)", func(b *trial) {
		w := b.wallet(hundred)
		b.ahead(w)
		r := expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred,
		})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindRefund, Amount: price, Balance: hundred, Rule: rule, Resource: article,
		})
		b.stands(wallet.StandingQuery{Wallet: w, Rule: rule, Resource: article}, wallet.Standing{
			Credential: wallet.Applied, Available: hundred,
		})
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: b.now().Add(window),
		})
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{Outcome: wallet.NotFound})
	}},
	{"a visit taken ahead and not delivered goes back to the pass (invariant 4)", func(b *trial) {
		w := b.wallet(wallet.Unit)
		until := do(b, wallet.Ledger.Buy, bundle(w, 1)).Until
		b.ahead(w)
		r := expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{
			Outcome: wallet.Applied, Visit: true, Visits: 1,
		})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindRefund, Visits: 1, Rule: rule, Resource: article,
		})
		b.hasPasses(w, wallet.Pass{Rule: rule, Visits: 1, Until: until})
	}},
	{"a visit that goes back joins the pass bought meanwhile", func(b *trial) {
		w := b.wallet(hundred)
		do(b, wallet.Ledger.Buy, bundle(w, 1))
		b.ahead(w)
		shorter := bundle(w, 2)
		shorter.Validity = 2 * time.Hour
		until := do(b, wallet.Ledger.Buy, shorter).Until
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{
			Outcome: wallet.Applied, Balance: hundred - 2*wallet.Unit, Visit: true, Visits: 3,
		})
		b.hasPasses(w, wallet.Pass{Rule: rule, Visits: 3, Until: until})
	}},
	{"a visit that goes back to a pass that has ended is lost with it", func(b *trial) {
		w := b.wallet(wallet.Unit)
		brief := bundle(w, 2)
		brief.Validity = window / 2
		do(b, wallet.Ledger.Buy, brief)
		b.ahead(w)
		b.clock.Advance(window / 2)
		r := expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{Outcome: wallet.Applied, Visit: true})
		b.lastEntry(w, wallet.Entry{ID: r.ID, Time: r.Time, Kind: wallet.KindRefund, Rule: rule, Resource: article})
		b.hasPasses(w)
	}},
	{"a charge is settled once, whatever the result (invariant 3)", func(b *trial) {
		for _, first := range []bool{true, false} {
			w := b.wallet(hundred)
			b.ahead(w)
			s := withID(settle(w, first), b.id())
			done := do(b, wallet.Ledger.Settle, s)
			for _, second := range []bool{true, false} {
				expect(b, wallet.Ledger.Settle, settle(w, second), wallet.Receipt{
					Outcome: wallet.Spent, Balance: done.Balance,
				})
			}
			again(b, wallet.Ledger.Settle, s, done)
		}
	}},
	{"a refunded charge may be paid ahead again and settled again", func(b *trial) {
		w := b.wallet(hundred)
		for range 3 {
			b.ahead(w)
			expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{
				Outcome: wallet.Applied, Amount: price, Balance: hundred,
			})
		}
		b.ahead(w)
		expect(b, wallet.Ledger.Settle, settle(w, true), wallet.Receipt{
			Outcome: wallet.Applied, Balance: hundred - price, Until: b.now().Add(window),
		})
	}},
	{"what was not paid ahead cannot be settled (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{Outcome: wallet.NotFound})
		do(b, wallet.Ledger.Charge, view(w, article))
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{Outcome: wallet.NotFound})
		other := b.wallet(hundred)
		expect(b, wallet.Ledger.Settle, settle(other, false), wallet.Receipt{Outcome: wallet.NotFound})
		unknown := wallet.WalletID{1}
		expect(b, wallet.Ledger.Settle, settle(unknown, false), wallet.Receipt{Outcome: wallet.NotFound})
	}},
	{"a charge that nobody settles stays when its window ends, and so does a settled one", func(b *trial) {
		for _, before := range []func(w wallet.WalletID){
			func(wallet.WalletID) {},
			func(w wallet.WalletID) { do(b, wallet.Ledger.Settle, settle(w, false)) },
			func(w wallet.WalletID) { do(b, wallet.Ledger.Settle, settle(w, true)) },
		} {
			w := b.wallet(hundred)
			b.ahead(w)
			before(w)
			b.clock.Advance(window)
			expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{Outcome: wallet.NotFound})
		}
	}},
	{"a charge is settled until the last instant of its window", func(b *trial) {
		w := b.wallet(hundred)
		b.ahead(w)
		b.clock.Advance(window - time.Millisecond)
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred,
		})
	}},
	{"a second charge ahead for the same resource is granted and does not unsettle it (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		until := b.ahead(w).Until
		do(b, wallet.Ledger.Settle, settle(w, true))
		c := view(w, article)
		c.Ahead = true
		expect(b, wallet.Ledger.Charge, c, wallet.Receipt{Outcome: wallet.Granted, Balance: hundred - price, Until: until})
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{Outcome: wallet.Spent, Balance: hundred - price})
	}},
	{"a frozen or rekeyed wallet still gets its refund", func(b *trial) {
		w := b.wallet(hundred)
		b.ahead(w)
		do(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w, Frozen: true})
		do(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w, Revoke: true})
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred,
		})
	}},
	{"a refund that the site cannot pay or the wallet or pass cannot take waits (invariant 2)", func(b *trial) {
		w := b.wallet(hundred)
		b.ahead(w)
		do(b, wallet.Ledger.Transfer, pay(wallet.Site, wallet.WalletAccount(w), price))
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{Outcome: wallet.Insufficient, Balance: hundred})
		do(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(w), wallet.Site, price))
		do(b, wallet.Ledger.Transfer, pay(card, wallet.WalletAccount(w), wallet.MaxAmount-hundred+1))
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{
			Outcome: wallet.Limit, Balance: wallet.MaxAmount - price + 1,
		})
	}},
	{"a visit cannot go back to a full pass", func(b *trial) {
		w := b.wallet(hundred)
		do(b, wallet.Ledger.Buy, bundle(w, 1))
		b.ahead(w)
		do(b, wallet.Ledger.Buy, bundle(w, wallet.MaxVisits))
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{
			Outcome: wallet.Limit, Balance: hundred - 2*wallet.Unit, Visits: wallet.MaxVisits,
		})
	}},
}
