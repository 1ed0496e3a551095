package ledgertest

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// reports checks a whole report.
func (b *trial) reports(from, to time.Time, want ...wallet.Revenue) {
	b.Helper()
	got, err := b.l.Report(b.Context(), from, to)
	if err != nil || !same(got, want) {
		b.Fatalf("Report answered\n%+v, %v, want\n%+v", got, err, want)
	}
}

const firstDay, secondDay = "2026-03-01", "2026-03-02"

var books = []scenario{
	{"the report counts views, visits, bundles and captures by day, rule and resource (invariant 7)", func(b *trial) {
		w := b.wallet(hundred)
		from := b.now()
		for _, c := range []wallet.Charge{view(w, "b"), view(w, "a"), view(w, "a")} { // the third is granted
			do(b, wallet.Ledger.Charge, c)
		}
		other := view(w, "c")
		other.Rule, other.Price = "a rule", 2*price
		do(b, wallet.Ledger.Charge, other)
		do(b, wallet.Ledger.Buy, bundle(w, 3))
		do(b, wallet.Ledger.Charge, view(w, "d"))
		c := capture(w, b.held(w, wallet.Unit), 3*price)
		c.Resource = "a"
		do(b, wallet.Ledger.Capture, c)
		c = capture(w, b.held(w, wallet.Unit), 4*price)
		c.Resource = ""
		do(b, wallet.Ledger.Capture, c)
		b.clock.Advance(13 * time.Hour)
		do(b, wallet.Ledger.Charge, view(b.wallet(hundred), "a"))
		b.reports(from, farFuture,
			wallet.Revenue{Day: firstDay, Rule: "a rule", Resource: "c", Sales: 1, Amount: 2 * price},
			wallet.Revenue{Day: firstDay, Rule: rule, Sales: 2, Amount: wallet.Unit + 4*price},
			wallet.Revenue{Day: firstDay, Rule: rule, Resource: "a", Sales: 2, Amount: 4 * price},
			wallet.Revenue{Day: firstDay, Rule: rule, Resource: "b", Sales: 1, Amount: price},
			wallet.Revenue{Day: firstDay, Rule: rule, Resource: "d", Visits: 1},
			wallet.Revenue{Day: secondDay, Rule: rule, Resource: "a", Sales: 1, Amount: price},
		)
	}},
	{"a refund counts against its own day and may bring it below zero (invariant 7)", func(b *trial) {
		w, visitor := b.wallet(hundred), b.wallet(hundred)
		do(b, wallet.Ledger.Buy, bundle(visitor, 3))
		for _, id := range []wallet.WalletID{w, visitor} {
			c := view(id, article)
			c.Ahead, c.Window = true, 24*time.Hour
			do(b, wallet.Ledger.Charge, c)
		}
		b.clock.Advance(13 * time.Hour)
		do(b, wallet.Ledger.Settle, settle(w, false))
		do(b, wallet.Ledger.Settle, settle(visitor, false))
		b.reports(start, farFuture,
			wallet.Revenue{Day: firstDay, Rule: rule, Sales: 1, Amount: wallet.Unit},
			wallet.Revenue{Day: firstDay, Rule: rule, Resource: article, Sales: 1, Visits: 1, Amount: price},
			wallet.Revenue{Day: secondDay, Rule: rule, Resource: article, Sales: -1, Visits: -1, Amount: -price},
		)
	}},
	{"a visit lost with its pass is still a refund, and a row that comes to nothing stays", func(b *trial) {
		w := b.wallet(wallet.Unit)
		p := bundle(w, 1)
		p.Validity = window / 2
		do(b, wallet.Ledger.Buy, p)
		b.ahead(w)
		b.clock.Advance(window / 2)
		do(b, wallet.Ledger.Settle, settle(w, false))
		b.reports(start, farFuture,
			wallet.Revenue{Day: firstDay, Rule: rule, Sales: 1, Amount: wallet.Unit},
			wallet.Revenue{Day: firstDay, Rule: rule, Resource: article},
		)
	}},
	{"what is no sale is in no report", func(b *trial) {
		w := b.wallet(hundred)
		do(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(w), wallet.Site, price))
		do(b, wallet.Ledger.Transfer, pay(wallet.Site, wallet.WalletAccount(w), price))
		do(b, wallet.Ledger.Release, wallet.Release{Wallet: w, Hold: b.held(w, price)})
		b.reports(time.Time{}, farFuture)
		b.ahead(w)
		b.clock.Advance(time.Minute)
		do(b, wallet.Ledger.Settle, settle(w, true))
		b.reports(b.now(), farFuture)
	}},
	{"a report includes its first instant and not its last", func(b *trial) {
		w := b.wallet(hundred)
		do(b, wallet.Ledger.Charge, view(w, article))
		row := wallet.Revenue{Day: firstDay, Rule: rule, Resource: article, Sales: 1, Amount: price}
		at := b.now()
		b.reports(at, at.Add(time.Millisecond), row)
		b.reports(at.Add(-time.Hour), at)
		b.reports(at.Add(time.Millisecond), farFuture)
		b.reports(at, at)
		b.reports(farFuture, at)
		b.reports(time.Time{}, farFuture.In(time.FixedZone("elsewhere", 9*60*60)), row)
	}},
	{"a day is a day in UTC", func(b *trial) {
		w := b.wallet(hundred)
		b.clock.Advance(time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC).Sub(b.now()) - time.Millisecond)
		do(b, wallet.Ledger.Charge, view(w, "late"))
		b.clock.Advance(time.Millisecond)
		do(b, wallet.Ledger.Charge, view(w, "early"))
		b.reports(time.Time{}, farFuture,
			wallet.Revenue{Day: firstDay, Rule: rule, Resource: "late", Sales: 1, Amount: price},
			wallet.Revenue{Day: secondDay, Rule: rule, Resource: "early", Sales: 1, Amount: price},
		)
	}},
	{"an audit adds up every account, and the journal grows with every change (invariants 1, 7)", func(b *trial) {
		before, err := b.l.Verify(b.Context())
		if err != nil || !before.OK() {
			b.Fatalf("an empty ledger: %+v, %v", before, err)
		}
		w, other := b.wallet(hundred), b.wallet(hundred)
		do(b, wallet.Ledger.Charge, view(w, article))
		do(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(w), wallet.WalletAccount(other), price))
		do(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(other), charity, 2*price))
		do(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: NewVoucher(b, b.l, b.clock.Now, wallet.Unit)})
		b.held(w, 5*price)
		b.audited(wallet.Audit{
			Wallets: 2, Available: 2*hundred + wallet.Unit - price - 2*price - 5*price, Held: 5 * price,
			Site: price, Funding: -2*hundred - wallet.Unit,
		})
		after, err := b.l.Verify(b.Context())
		if err != nil || after.Entries < before.Entries+10 {
			b.Fatalf("invariant 7: ten changes left %d entries, after %d: %v", after.Entries, before.Entries, err)
		}
	}},
}
