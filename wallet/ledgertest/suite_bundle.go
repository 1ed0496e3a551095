package ledgertest

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

var bundles = []scenario{
	{"a bundle takes its price and adds visits to the pass of its rule (invariant 7)", func(b *trial) {
		w := b.wallet(hundred)
		until := b.now().Add(validity)
		r := expect(b, wallet.Ledger.Buy, bundle(w, 3), wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred - wallet.Unit, Visits: 3, Until: until,
		})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindBuy, Amount: -wallet.Unit, Balance: hundred - wallet.Unit,
			Visits: 3, Rule: rule,
		})
		b.hasPasses(w, wallet.Pass{Rule: rule, Visits: 3, Until: until})
		b.stands(wallet.StandingQuery{Wallet: w, Rule: rule, Resource: article}, wallet.Standing{
			Credential: wallet.Applied, Available: hundred - wallet.Unit, Visits: 3, VisitsUntil: until,
		})
		b.stands(wallet.StandingQuery{Wallet: w, Rule: "other", Resource: article}, wallet.Standing{
			Credential: wallet.Applied, Available: hundred - wallet.Unit,
		})
	}},
	{"visits go before money, and a grant before visits (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		do(b, wallet.Ledger.Buy, bundle(w, 1))
		left, until := hundred-wallet.Unit, b.now().Add(window)
		r := expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{
			Outcome: wallet.Applied, Balance: left, Visit: true, Until: until,
		})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindVisit, Balance: left, Visits: -1, Rule: rule, Resource: article,
		})
		do(b, wallet.Ledger.Buy, bundle(w, 2))
		left -= wallet.Unit
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{
			Outcome: wallet.Granted, Balance: left, Visits: 2, Until: until,
		})
		expect(b, wallet.Ledger.Charge, view(w, "news:/b"), wallet.Receipt{
			Outcome: wallet.Applied, Balance: left, Visit: true, Visits: 1, Until: until,
		})
		expect(b, wallet.Ledger.Charge, view(w, "news:/c"), wallet.Receipt{
			Outcome: wallet.Applied, Balance: left, Visit: true, Until: until,
		})
		expect(b, wallet.Ledger.Charge, view(w, "news:/d"), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: left - price, Until: until,
		})
		b.hasPasses(w)
	}},
	{"a pass opens only its own rule and its own wallet (invariant 4)", func(b *trial) {
		w, other := b.wallet(hundred), b.wallet(hundred)
		do(b, wallet.Ledger.Buy, bundle(w, 3))
		c := view(w, article)
		c.Rule = "other"
		expect(b, wallet.Ledger.Charge, c, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - wallet.Unit - price, Until: b.now().Add(window),
		})
		expect(b, wallet.Ledger.Charge, view(other, article), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: b.now().Add(window),
		})
	}},
	{"an empty wallet with a pass reads, and a pass that has ended opens nothing (invariant 4)", func(b *trial) {
		w := b.wallet(wallet.Unit)
		do(b, wallet.Ledger.Buy, bundle(w, 3))
		b.clock.Advance(validity - time.Millisecond)
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{
			Outcome: wallet.Applied, Visit: true, Visits: 2, Until: b.now().Add(window),
		})
		b.clock.Advance(time.Millisecond)
		b.hasPasses(w)
		b.stands(wallet.StandingQuery{Wallet: w, Rule: rule}, wallet.Standing{Credential: wallet.Applied})
		expect(b, wallet.Ledger.Charge, view(w, "news:/b"), wallet.Receipt{Outcome: wallet.Insufficient})
	}},
	{"a pass bought again adds up and ends at the later of the two ends", func(b *trial) {
		w := b.wallet(hundred)
		until := b.now().Add(validity)
		do(b, wallet.Ledger.Buy, bundle(w, 3))
		shorter := bundle(w, 2)
		shorter.Validity = time.Hour
		expect(b, wallet.Ledger.Buy, shorter, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred - 2*wallet.Unit, Visits: 5, Until: until,
		})
		b.clock.Advance(time.Hour)
		until = b.now().Add(validity)
		expect(b, wallet.Ledger.Buy, bundle(w, 1), wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred - 3*wallet.Unit, Visits: 6, Until: until,
		})
		endless := bundle(w, 1)
		endless.Validity = 0
		expect(b, wallet.Ledger.Buy, endless, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred - 4*wallet.Unit, Visits: 7,
		})
		expect(b, wallet.Ledger.Buy, bundle(w, 1), wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred - 5*wallet.Unit, Visits: 8,
		})
		b.clock.Advance(wallet.MaxValidity)
		b.hasPasses(w, wallet.Pass{Rule: rule, Visits: 8})
		b.stands(wallet.StandingQuery{Wallet: w, Rule: rule}, wallet.Standing{
			Credential: wallet.Applied, Available: hundred - 5*wallet.Unit, Visits: 8,
		})
	}},
	{"a pass that is used up or has ended hands neither visits nor end on to the next", func(b *trial) {
		w := b.wallet(hundred)
		endless := bundle(w, 1)
		endless.Validity = 0
		do(b, wallet.Ledger.Buy, endless)
		do(b, wallet.Ledger.Charge, view(w, article))
		until := b.now().Add(validity)
		expect(b, wallet.Ledger.Buy, bundle(w, 4), wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred - 2*wallet.Unit, Visits: 4, Until: until,
		})
		b.clock.Advance(validity)
		expect(b, wallet.Ledger.Buy, bundle(w, 1), wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred - 3*wallet.Unit, Visits: 1,
			Until: b.now().Add(validity),
		})
		do(b, wallet.Ledger.Charge, view(w, "news:/b"))
		shorter := bundle(w, 2)
		shorter.Validity = time.Hour
		expect(b, wallet.Ledger.Buy, shorter, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred - 4*wallet.Unit, Visits: 2,
			Until: b.now().Add(time.Hour),
		})
	}},
	{"a bundle that the wallet cannot pay or the pass cannot take is refused (invariant 2)", func(b *trial) {
		w := b.wallet(wallet.Unit - 1)
		expect(b, wallet.Ledger.Buy, bundle(w, 1), wallet.Receipt{Outcome: wallet.Insufficient, Balance: wallet.Unit - 1})
		b.fund(w, 1)
		full := bundle(w, wallet.MaxVisits)
		expect(b, wallet.Ledger.Buy, full, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Visits: wallet.MaxVisits, Until: b.now().Add(validity),
		})
		expect(b, wallet.Ledger.Buy, bundle(w, 1), wallet.Receipt{Outcome: wallet.Insufficient, Visits: wallet.MaxVisits})
		b.fund(w, wallet.Unit)
		expect(b, wallet.Ledger.Buy, bundle(w, 1), wallet.Receipt{
			Outcome: wallet.Limit, Balance: wallet.Unit, Visits: wallet.MaxVisits,
		})
	}},
	{"a wallet lists its passes by rule", func(b *trial) {
		w := b.wallet(hundred)
		var want []wallet.Pass
		for _, name := range []string{"b", "c", "a"} {
			p := bundle(w, 1+len(want))
			p.Rule = name
			r := do(b, wallet.Ledger.Buy, p)
			want = append(want, wallet.Pass{Rule: name, Visits: r.Visits, Until: r.Until})
		}
		b.hasPasses(w, want[2], want[0], want[1])
	}},
}

func (b *trial) hasPasses(id wallet.WalletID, want ...wallet.Pass) {
	b.Helper()
	if got := b.look(id).Passes; !same(got, want) {
		b.Fatalf("the wallet has the passes %+v, want %+v", got, want)
	}
}
