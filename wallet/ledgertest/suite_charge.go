package ledgertest

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

var charging = []scenario{
	{"a charge takes the price, writes the grant and the entry at once (invariants 4, 7)", func(b *trial) {
		w := b.wallet(hundred)
		q := wallet.StandingQuery{Wallet: w, Generation: 1, Rule: rule, Resource: article}
		b.stands(q, wallet.Standing{Credential: wallet.Applied, Available: hundred})
		until := b.now().Add(window)
		r := expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: until,
		})
		b.stands(q, wallet.Standing{Credential: wallet.Applied, Available: hundred - price, GrantedUntil: until})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindCharge, Amount: -price, Balance: hundred - price,
			Rule: rule, Resource: article,
		})
	}},
	{"a charge for what is paid for is granted until the window ends and costs again at its end (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		do(b, wallet.Ledger.Charge, view(w, article))
		until := b.now().Add(window)
		b.clock.Advance(until.Sub(b.now()) - time.Millisecond)
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{
			Outcome: wallet.Granted, Balance: hundred - price, Until: until,
		})
		b.clock.Advance(time.Millisecond)
		b.stands(wallet.StandingQuery{Wallet: w, Resource: article}, wallet.Standing{
			Credential: wallet.Applied, Available: hundred - price,
		})
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - 2*price, Until: b.now().Add(window),
		})
	}},
	{"a grant is of one wallet and one resource, under whatever rule (invariant 4)", func(b *trial) {
		w, other := b.wallet(hundred), b.wallet(hundred)
		until := b.now().Add(window)
		do(b, wallet.Ledger.Charge, view(w, article))
		expect(b, wallet.Ledger.Charge, view(w, article+"/2"), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - 2*price, Until: until,
		})
		expect(b, wallet.Ledger.Charge, view(other, article), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: until,
		})
		elsewhere := view(w, article)
		elsewhere.Rule, elsewhere.Price, elsewhere.Window = "other", 5, wallet.MinWindow
		expect(b, wallet.Ledger.Charge, elsewhere, wallet.Receipt{
			Outcome: wallet.Granted, Balance: hundred - 2*price, Until: until,
		})
	}},
	{"a wallet pays its last millionth and not one more (invariant 2)", func(b *trial) {
		w := b.wallet(price)
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Until: b.now().Add(window),
		})
		short := b.wallet(price - 1)
		expect(b, wallet.Ledger.Charge, view(short, article), wallet.Receipt{
			Outcome: wallet.Insufficient, Balance: price - 1,
		})
		b.stands(wallet.StandingQuery{Wallet: short, Resource: article}, wallet.Standing{
			Credential: wallet.Applied, Available: price - 1,
		})
	}},
	{"a resource without a price takes only a visit (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		c := view(w, article)
		c.Price = 0
		expect(b, wallet.Ledger.Charge, c, wallet.Receipt{Outcome: wallet.Insufficient, Balance: hundred})
		do(b, wallet.Ledger.Buy, bundle(w, 1))
		expect(b, wallet.Ledger.Charge, c, wallet.Receipt{
			Outcome: wallet.Applied, Balance: hundred - wallet.Unit, Visit: true, Until: b.now().Add(window),
		})
	}},
	{"a resource or rule that only begins like what is paid for is another (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		c, p := view(w, long(wallet.MaxResource)), bundle(w, 2)
		c.Rule, p.Rule = "other", long(wallet.MaxRule)
		do(b, wallet.Ledger.Charge, c)
		do(b, wallet.Ledger.Buy, p)
		nothing := wallet.Standing{Credential: wallet.Applied, Available: hundred - price - wallet.Unit}
		for _, q := range []wallet.StandingQuery{
			{Wallet: w, Rule: long(wallet.MaxRule + 1), Resource: long(wallet.MaxResource + 1)},
			{Wallet: w, Rule: long(wallet.MaxRule - 1), Resource: long(wallet.MaxResource - 1)},
			{Wallet: w},
		} {
			b.stands(q, nothing)
		}
	}},
	{"a window of any allowed length is kept to the millisecond (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		for i, d := range []time.Duration{wallet.MinWindow, wallet.MinWindow + 999_999, wallet.MaxWindow} {
			c := view(w, article+string(rune('0'+i)))
			c.Window = d
			expect(b, wallet.Ledger.Charge, c, wallet.Receipt{
				Outcome: wallet.Applied, Amount: price, Balance: hundred - price*wallet.Amount(i+1),
				Until: b.now().Add(d.Truncate(time.Millisecond)),
			})
		}
	}},
}
