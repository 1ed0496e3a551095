package ledgertest

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// charged charges a wallet for the article and returns how to end that charge
// by its id, as not delivered.
func (b *trial) charged(id wallet.WalletID, span time.Duration) wallet.Settlement {
	b.Helper()
	c := withID(view(id, article), b.id())
	c.Window = span
	if r := do(b, wallet.Ledger.Charge, c); r.Outcome != wallet.Applied {
		b.Fatalf("a charge answered %v", r.Outcome)
	}
	return wallet.Settlement{Wallet: id, Resource: article, Charge: c.ID}
}

// named is the same settlement by the charge's id.
func named(s wallet.Settlement, charge wallet.OpID) wallet.Settlement {
	s.Charge = charge
	return s
}

// readsUntil checks the end of what a wallet may read; zero: nothing.
func (b *trial) readsUntil(id wallet.WalletID, until time.Time) {
	b.Helper()
	s := b.standing(wallet.StandingQuery{Wallet: id, Rule: rule, Resource: article})
	if !s.GrantedUntil.Equal(until) {
		b.Fatalf("invariant 4: the article is paid for until %v, want %v", s.GrantedUntil, until)
	}
}

var refundsByID = []scenario{
	{"a charge that was not made ahead is refunded by its id, and its grant ends (invariants 1, 4)", func(b *trial) {
		w := b.wallet(hundred)
		r := expect(b, wallet.Ledger.Settle, b.charged(w, window), wallet.Receipt{
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
	}},
	{"a charge that was not made ahead is delivered by its id, and is refunded no more", func(b *trial) {
		w := b.wallet(hundred)
		s := b.charged(w, window)
		until := b.now().Add(window)
		s.Delivered = true
		r := expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Applied, Balance: hundred - price, Until: until})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindDeliver, Balance: hundred - price, Rule: rule, Resource: article,
		})
		s.Delivered = false
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Spent, Balance: hundred - price})
		b.readsUntil(w, until)
	}},
	{"a charge is settled once, by its id or without it (invariant 3)", func(b *trial) {
		for _, first := range []bool{true, false} {
			for _, byID := range []bool{true, false} {
				w := b.wallet(hundred)
				charge := b.ahead(w).ID
				s := withID(settle(w, first), b.id())
				if byID {
					s.Charge = charge
				}
				done := do(b, wallet.Ledger.Settle, s)
				for _, second := range []bool{true, false} {
					spent := wallet.Receipt{Outcome: wallet.Spent, Balance: done.Balance}
					expect(b, wallet.Ledger.Settle, settle(w, second), spent)
					expect(b, wallet.Ledger.Settle, named(settle(w, second), charge), spent)
				}
				again(b, wallet.Ledger.Settle, s, done)
			}
		}
	}},
	{"a visit goes back to its pass by the charge's id", func(b *trial) {
		w := b.wallet(wallet.Unit)
		until := do(b, wallet.Ledger.Buy, bundle(w, 1)).Until
		s := b.charged(w, window)
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Applied, Visit: true, Visits: 1})
		b.hasPasses(w, wallet.Pass{Rule: rule, Visits: 1, Until: until})
		b.readsUntil(w, time.Time{})
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Spent, Visits: 1})
	}},
	{"a charge is refunded by its id after its window has ended", func(b *trial) {
		w := b.wallet(hundred)
		s := b.charged(w, time.Minute)
		b.clock.Advance(time.Minute)
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Applied, Amount: price, Balance: hundred})
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Spent, Balance: hundred})
	}},
	{"a charge refunded after another has paid for the resource leaves that one's grant (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		first := b.charged(w, time.Minute)
		b.clock.Advance(time.Minute)
		second := b.charged(w, window)
		until := b.now().Add(window)
		expect(b, wallet.Ledger.Settle, first, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: until,
		})
		b.readsUntil(w, until)
		expect(b, wallet.Ledger.Settle, first, wallet.Receipt{Outcome: wallet.Spent, Balance: hundred - price})
		expect(b, wallet.Ledger.Settle, second, wallet.Receipt{Outcome: wallet.Applied, Amount: price, Balance: hundred})
		b.readsUntil(w, time.Time{})
	}},
	{"a charge refunded after a capture has paid for the resource too leaves the grant (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		s := b.charged(w, window)
		until := do(b, wallet.Ledger.Capture, capture(w, b.held(w, price), price)).Until
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: until,
		})
		b.readsUntil(w, until)
	}},
	{"a charge settled long before its window has ended is spent by its id after that", func(b *trial) {
		for _, delivered := range []bool{true, false} {
			w := b.wallet(hundred)
			c := withID(view(w, article), b.id())
			c.Ahead, c.Window = true, time.Minute
			do(b, wallet.Ledger.Charge, c)
			balance := do(b, wallet.Ledger.Settle, settle(w, delivered)).Balance
			b.clock.Advance(30 * time.Minute)
			expect(b, wallet.Ledger.Settle, named(settle(w, false), c.ID), wallet.Receipt{Outcome: wallet.Spent, Balance: balance})
			do(b, wallet.Ledger.Charge, view(w, article))
			expect(b, wallet.Ledger.Settle, named(settle(w, false), c.ID), wallet.Receipt{Outcome: wallet.Spent, Balance: balance - price})
		}
	}},
	{"a charge is refunded by its id until the id is forgotten, and without it until its grant ends (invariant 3)", func(b *trial) {
		w, late := b.wallet(hundred), b.wallet(hundred)
		s, c := b.charged(w, wallet.MaxWindow), withID(view(late, article), b.id())
		c.Ahead, c.Window = true, wallet.MaxWindow
		do(b, wallet.Ledger.Charge, c)
		b.clock.Advance(wallet.ChargeMemory)
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Applied, Amount: price, Balance: hundred})
		b.clock.Advance(time.Millisecond)
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.NotFound})
		expect(b, wallet.Ledger.Settle, named(settle(late, false), c.ID), wallet.Receipt{Outcome: wallet.NotFound})
		expect(b, wallet.Ledger.Settle, settle(late, false), wallet.Receipt{Outcome: wallet.Applied, Amount: price, Balance: hundred})
	}},
	{"only a charge of the wallet and the resource is found by an id (invariant 4)", func(b *trial) {
		w, other := b.wallet(hundred), b.wallet(hundred)
		s := b.charged(w, window)
		bought := withID(bundle(w, 1), b.id())
		do(b, wallet.Ledger.Buy, bought)
		hold := b.held(w, price)
		captured := do(b, wallet.Ledger.Capture, capture(w, hold, price)).ID
		otherWallet, otherResource := s, s
		otherWallet.Wallet, otherResource.Resource = other, "news:/b"
		for _, wrong := range []wallet.Settlement{
			otherWallet, otherResource, named(s, b.id()), named(s, bought.ID), named(s, hold), named(s, captured),
			{Wallet: wallet.WalletID{1}, Resource: article, Charge: s.Charge},
		} {
			expect(b, wallet.Ledger.Settle, wrong, wallet.Receipt{Outcome: wallet.NotFound})
		}
	}},
	{"a frozen or rekeyed wallet gets its refund by the charge's id too", func(b *trial) {
		w := b.wallet(hundred)
		s := b.charged(w, window)
		do(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w, Frozen: true})
		do(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w, Revoke: true})
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Applied, Amount: price, Balance: hundred})
	}},
	{"a refund by id that the site cannot pay waits (invariant 2)", func(b *trial) {
		w := b.wallet(hundred)
		s := withID(b.charged(w, window), b.id())
		do(b, wallet.Ledger.Transfer, pay(wallet.Site, wallet.WalletAccount(w), price))
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Insufficient, Balance: hundred})
		b.readsUntil(w, b.now().Add(window))
		do(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(w), wallet.Site, price))
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Applied, Amount: price, Balance: hundred})
	}},
	{"a charge refunded fifty times at once by its id goes back once (invariant 3)", func(b *trial) {
		w := b.wallet(hundred)
		s := b.charged(w, window)
		got, _ := together(b, wallet.Ledger.Settle, 50, func(int) wallet.Settlement { return s })
		b.counted(got, "invariant 3", map[wallet.Outcome]int{wallet.Applied: 1, wallet.Spent: 49})
		b.has(w, hundred, 0)
	}},
	{"who is charged while the charge before is refunded reads what they paid for, or has not paid (invariant 4)", func(b *trial) {
		for range 20 {
			w := b.wallet(hundred)
			s := b.charged(w, window)
			got, receipts := b.atOnce(50, func(i int) (wallet.Receipt, error) {
				if i%2 == 0 {
					return b.l.Settle(b.Context(), withID(s, b.id()))
				}
				return b.l.Charge(b.Context(), withID(view(w, article), b.id()))
			})
			paid := wallet.Amount(0)
			var until time.Time
			for _, r := range receipts {
				if r.Outcome == wallet.Applied && r.Until.After(b.now()) && r.Amount == price && r.Balance == hundred-price {
					paid, until = price, r.Until
				}
			}
			charges := got[wallet.Granted]
			if paid > 0 {
				charges++
			}
			if got[wallet.Spent] != 24 || charges != 25 {
				b.Fatalf("invariant 3: outcomes %v", got)
			}
			b.has(w, hundred-paid, 0)
			b.readsUntil(w, until)
		}
	}},
	{"a charge in time is refunded though many have been settled since its id was new", func(b *trial) {
		w := b.wallet(hundred)
		s := b.charged(w, window)
		for range 12 {
			b.clock.Advance(5 * time.Minute)
			other := b.wallet(hundred)
			expect(b, wallet.Ledger.Settle, b.charged(other, window), wallet.Receipt{
				Outcome: wallet.Applied, Amount: price, Balance: hundred,
			})
		}
		expect(b, wallet.Ledger.Settle, s, wallet.Receipt{Outcome: wallet.Applied, Amount: price, Balance: hundred})
	}},
}
