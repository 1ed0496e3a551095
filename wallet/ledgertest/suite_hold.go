package ledgertest

import "github.com/caddy-paywall/caddy-paywall/wallet"

// held sets an amount of a wallet aside and returns the hold's id.
func (b *trial) held(id wallet.WalletID, amount wallet.Amount) wallet.OpID {
	b.Helper()
	h := withID(set(id, amount), b.id())
	if r := do(b, wallet.Ledger.Hold, h); r.Outcome != wallet.Applied {
		b.Fatalf("a hold of %s answered %v", amount, r.Outcome)
	}
	return h.ID
}

func capture(id wallet.WalletID, hold wallet.OpID, amount wallet.Amount) wallet.Capture {
	return wallet.Capture{Wallet: id, Hold: hold, Amount: amount, Rule: rule, Resource: article, Window: window}
}

var holding = []scenario{
	{"a hold sets money aside that nothing else can spend (invariants 1, 2)", func(b *trial) {
		w := b.wallet(hundred)
		r := expect(b, wallet.Ledger.Hold, set(w, hundred-1), wallet.Receipt{
			Outcome: wallet.Applied, Amount: hundred - 1, Balance: 1, Until: b.now().Add(set(w, 1).TTL),
		})
		b.has(w, 1, hundred-1)
		b.lastEntry(w, wallet.Entry{ID: r.ID, Time: r.Time, Kind: wallet.KindHold, Amount: 1 - hundred, Balance: 1})
		b.audited(wallet.Audit{Wallets: 1, Available: 1, Held: hundred - 1, Funding: -hundred})
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{Outcome: wallet.Insufficient, Balance: 1})
		expect(b, wallet.Ledger.Hold, set(w, 2), wallet.Receipt{Outcome: wallet.Insufficient, Balance: 1})
	}},
	{"a capture takes part of a hold, writes the grant and returns the rest (invariants 1, 4)", func(b *trial) {
		w := b.wallet(hundred)
		hold := b.held(w, wallet.Unit)
		until := b.now().Add(window)
		r := expect(b, wallet.Ledger.Capture, capture(w, hold, price), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: until,
		})
		b.has(w, hundred-price, 0)
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindCapture, Amount: wallet.Unit - price, Balance: hundred - price,
			Rule: rule, Resource: article,
		})
		b.audited(wallet.Audit{Wallets: 1, Available: hundred - price, Site: price, Funding: -hundred})
		expect(b, wallet.Ledger.Charge, view(w, article), wallet.Receipt{
			Outcome: wallet.Granted, Balance: hundred - price, Until: until,
		})
	}},
	{"a capture takes all of a hold, and without a resource grants nothing (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		c := capture(w, b.held(w, wallet.Unit), wallet.Unit)
		c.Resource, c.Window = "", 0
		r := expect(b, wallet.Ledger.Capture, c, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred - wallet.Unit,
		})
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindCapture, Balance: hundred - wallet.Unit, Rule: rule,
		})
		b.stands(wallet.StandingQuery{Wallet: w, Resource: article}, wallet.Standing{
			Credential: wallet.Applied, Available: hundred - wallet.Unit,
		})
		b.stands(wallet.StandingQuery{Wallet: w}, wallet.Standing{
			Credential: wallet.Applied, Available: hundred - wallet.Unit,
		})
	}},
	{"a release returns all of a hold (invariant 1)", func(b *trial) {
		w := b.wallet(hundred)
		hold := b.held(w, wallet.Unit)
		r := expect(b, wallet.Ledger.Release, wallet.Release{Wallet: w, Hold: hold}, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: hundred,
		})
		b.has(w, hundred, 0)
		b.lastEntry(w, wallet.Entry{ID: r.ID, Time: r.Time, Kind: wallet.KindRelease, Amount: wallet.Unit, Balance: hundred})
	}},
	{"a hold resolves once, however it did (invariant 3)", func(b *trial) {
		w := b.wallet(hundred)
		captured, released := b.held(w, price), b.held(w, price)
		do(b, wallet.Ledger.Capture, capture(w, captured, price))
		do(b, wallet.Ledger.Release, wallet.Release{Wallet: w, Hold: released})
		expired := b.held(w, price)
		b.clock.Advance(set(w, price).TTL)
		for _, hold := range []wallet.OpID{captured, released, expired} {
			expect(b, wallet.Ledger.Capture, capture(w, hold, price+1), wallet.Receipt{
				Outcome: wallet.Spent, Balance: hundred - price,
			})
			expect(b, wallet.Ledger.Release, wallet.Release{Wallet: w, Hold: hold}, wallet.Receipt{
				Outcome: wallet.Spent, Balance: hundred - price,
			})
		}
	}},
	{"a capture of more than its hold is refused, whatever else the wallet has or holds (invariant 2)", func(b *trial) {
		w := b.wallet(hundred)
		hold := b.held(w, price)
		b.held(w, price)
		expect(b, wallet.Ledger.Capture, capture(w, hold, price+1), wallet.Receipt{
			Outcome: wallet.Insufficient, Balance: hundred - 2*price,
		})
		b.has(w, hundred-2*price, 2*price)
	}},
	{"a hold is its own wallet's, and an id that is no hold is not found (invariant 2)", func(b *trial) {
		w, other := b.wallet(hundred), b.wallet(hundred)
		hold := b.held(w, price)
		charge := do(b, wallet.Ledger.Charge, view(w, article)).ID
		for _, c := range []wallet.Capture{
			capture(other, hold, price), capture(w, b.id(), price), capture(w, charge, price),
			capture(wallet.WalletID{1}, hold, price),
		} {
			expect(b, wallet.Ledger.Capture, c, wallet.Receipt{Outcome: wallet.NotFound})
			expect(b, wallet.Ledger.Release, wallet.Release{Wallet: c.Wallet, Hold: c.Hold}, wallet.Receipt{Outcome: wallet.NotFound})
		}
		b.has(w, hundred-2*price, price)
	}},
	{"a hold made before a freeze or a revocation is still captured or released (invariant 8)", func(b *trial) {
		w := b.wallet(hundred)
		captured, released := b.held(w, price), b.held(w, price)
		do(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w, Frozen: true})
		do(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w, Revoke: true})
		expect(b, wallet.Ledger.Capture, capture(w, captured, price), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - 2*price, Until: b.now().Add(window),
		})
		expect(b, wallet.Ledger.Release, wallet.Release{Wallet: w, Hold: released}, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price,
		})
	}},
	{"a capture for what is paid for takes the money and keeps the later end (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		until := b.now().Add(window)
		do(b, wallet.Ledger.Charge, view(w, article))
		shorter, longer := capture(w, b.held(w, price), price), capture(w, b.held(w, price), price)
		shorter.Window, longer.Window = window/2, 2*window
		expect(b, wallet.Ledger.Capture, shorter, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - 3*price, Until: until,
		})
		expect(b, wallet.Ledger.Capture, longer, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - 3*price, Until: until.Add(window),
		})
	}},
	{"a refund does not close what a capture has paid for as well (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		b.ahead(w)
		do(b, wallet.Ledger.Capture, capture(w, b.held(w, price), price))
		until := b.now().Add(window)
		q := wallet.StandingQuery{Wallet: w, Resource: article}
		b.stands(q, wallet.Standing{
			Credential: wallet.Applied, Available: hundred - 2*price, GrantedUntil: until, Ahead: true,
		})
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: until,
		})
		b.stands(q, wallet.Standing{Credential: wallet.Applied, Available: hundred - price, GrantedUntil: until})
	}},
	{"a capture for a refunded resource opens it again (invariant 4)", func(b *trial) {
		w := b.wallet(hundred)
		b.ahead(w)
		do(b, wallet.Ledger.Settle, settle(w, false))
		c := capture(w, b.held(w, price), price)
		c.Window = window / 2
		expect(b, wallet.Ledger.Capture, c, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: b.now().Add(window / 2),
		})
		expect(b, wallet.Ledger.Settle, settle(w, false), wallet.Receipt{Outcome: wallet.NotFound})
	}},
}
