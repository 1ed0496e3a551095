package ledgertest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// restarts is for engines that keep what they acknowledge.
var restarts = []scenario{
	{"after a restart the ledger answers as before (invariant 5)", func(b *trial) {
		var ids []wallet.OpID
		var firsts []wallet.Receipt
		deeds := b.deeds()
		for _, d := range deeds {
			ids = append(ids, b.id())
			firsts = append(firsts, b.answers(d, ids[len(ids)-1], wallet.Applied))
		}
		before, audit := b.snapshot(), b.audit()
		for range 2 {
			b.reopen()
			b.unchanged(before, "a restart", 0)
			if got := b.audit(); !same(got, audit) {
				b.Fatalf("invariant 5: the audit was %+v and is %+v", audit, got)
			}
			for i, d := range deeds {
				want := firsts[i]
				want.Outcome = wallet.Replayed
				if got := b.answers(d, ids[i], wallet.Replayed); !same(got, want) {
					b.Errorf("invariant 5: %s again: %+v, want %+v", d.kind, got, want)
				}
				for _, other := range b.knowing(d, d.others) {
					b.answers(other, ids[i], wallet.Conflict)
				}
			}
		}
	}},
	{"after a restart what was paid for is still readable, and what ran out is not (invariants 4, 5)", func(b *trial) {
		w, aheadOf := b.wallet(hundred), b.wallet(hundred)
		do(b, wallet.Ledger.Charge, view(w, article))
		do(b, wallet.Ledger.Buy, bundle(w, 3))
		b.ahead(aheadOf)
		granted := wallet.StandingQuery{Wallet: w, Generation: 1, Rule: rule, Resource: article}
		waiting := wallet.StandingQuery{Wallet: aheadOf, Generation: 1, Rule: rule, Resource: article}
		want, wantWaiting := b.standing(granted), b.standing(waiting)
		b.reopen()
		b.stands(granted, want)
		b.stands(waiting, wantWaiting)
		expect(b, wallet.Ledger.Settle, settle(aheadOf, false), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred,
		})
		b.reopen()
		expect(b, wallet.Ledger.Settle, settle(aheadOf, true), wallet.Receipt{Outcome: wallet.Spent, Balance: hundred})
		b.clock.Advance(window)
		b.reopen()
		b.stands(granted, wallet.Standing{
			Credential: wallet.Applied, Available: want.Available, Visits: 3, VisitsUntil: want.VisitsUntil,
		})
		expect(b, wallet.Ledger.Settle, settle(aheadOf, true), wallet.Receipt{Outcome: wallet.NotFound})
	}},
	{"after a restart a charge is refunded by its id, and once (invariants 3, 5)", func(b *trial) {
		w, other := b.wallet(hundred), b.wallet(hundred)
		first, second := b.charged(w, time.Minute), b.charged(other, time.Minute)
		do(b, wallet.Ledger.Settle, second)
		b.clock.Advance(time.Minute)
		b.reopen()
		expect(b, wallet.Ledger.Settle, first, wallet.Receipt{Outcome: wallet.Applied, Amount: price, Balance: hundred})
		b.reopen()
		expect(b, wallet.Ledger.Settle, first, wallet.Receipt{Outcome: wallet.Spent, Balance: hundred})
		expect(b, wallet.Ledger.Settle, second, wallet.Receipt{Outcome: wallet.Spent, Balance: hundred})
	}},
	{"after a restart a visit still goes back to the pass it emptied (invariant 5)", func(b *trial) {
		w := b.wallet(wallet.Unit)
		until := do(b, wallet.Ledger.Buy, bundle(w, 1)).Until
		b.ahead(w)
		b.reopen()
		do(b, wallet.Ledger.Settle, settle(w, false))
		b.hasPasses(w, wallet.Pass{Rule: rule, Visits: 1, Until: until})
	}},
	{"after a restart a revoked or frozen credential still spends nothing (invariants 5, 8)", func(b *trial) {
		revoked, frozen, recovery := b.wallet(hundred), b.wallet(hundred), NewDigest(b)
		do(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: revoked, Recovery: recovery, Revoke: true})
		do(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: frozen, Frozen: true})
		b.reopen()
		b.spending(revoked, 1, wallet.Receipt{Outcome: wallet.Revoked})
		b.spending(frozen, 1, wallet.Receipt{Outcome: wallet.Frozen, Balance: hundred})
		b.opens(recovery, &revoked)
	}},
	{"a hold lives on over a restart, and one that ended meanwhile is back as of its end (invariants 1, 5)", func(b *trial) {
		w, other := b.wallet(hundred), b.wallet(hundred)
		hold, kept := b.held(w, price), b.held(other, price)
		end := b.now().Add(set(w, price).TTL)
		b.reopen()
		b.has(w, hundred-price, price)
		do(b, wallet.Ledger.Capture, capture(other, kept, price))
		b.clock.Advance(time.Hour)
		b.reopen()
		b.lastEntry(w, wallet.Entry{ID: hold, Time: end, Kind: wallet.KindRelease, Amount: price, Balance: hundred})
		for id, has := range map[wallet.WalletID]wallet.OpID{w: hold, other: kept} {
			if r := do(b, wallet.Ledger.Release, wallet.Release{Wallet: id, Hold: has}); r.Outcome != wallet.Spent {
				b.Errorf("invariant 5: a resolved hold answers %v, want spent", r.Outcome)
			}
		}
	}},
	{"after a restart vouchers are what they were and numbers go on (invariants 3, 5)", func(b *trial) {
		codes, i, _ := b.issue(3)
		w := b.wallet(0)
		do(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: codes[0]})
		do(b, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: 2, Note: "stolen"})
		before := b.snapshot()
		b.reopen()
		b.unchanged(before, "a restart", 0)
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: codes[0]}, wallet.Receipt{
			Outcome: wallet.Spent, Balance: wallet.Unit,
		})
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: codes[1]}, wallet.Receipt{
			Outcome: wallet.Void, Balance: wallet.Unit,
		})
		expect(b, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: codes[2]}, wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.Unit, Balance: 2 * wallet.Unit,
		})
		expect(b, wallet.Ledger.IssueVouchers, i, wallet.Receipt{Outcome: wallet.Conflict})
		i.Digests = []wallet.Digest{NewDigest(b)}
		expect(b, wallet.Ledger.IssueVouchers, i, wallet.Receipt{Outcome: wallet.Applied, Serial: 4})
	}},
	{"after a restart registers are what they were, and their ids are known (invariants 3, 5)", func(b *trial) {
		p := withID(wallet.Put{Register: "card:1", Value: "one"}, b.id())
		first := do(b, wallet.Ledger.Put, p)
		gone := b.put("card:2", wallet.OpID{}, "two")
		b.put("card:2", gone, "")
		before := b.snapshot()
		b.reopen()
		b.unchanged(before, "a restart", 0)
		again(b, wallet.Ledger.Put, p, first)
		expect(b, wallet.Ledger.Put, wallet.Put{Register: "card:2", Before: gone, Value: "3"}, wallet.Receipt{Outcome: wallet.NotFound})
		b.put("card:1", p.ID, "two")
	}},
	{"what is acknowledged while the ledger closes is kept, and the rest can be retried (invariants 3, 5, 6)", func(b *trial) {
		w := b.wallet(hundred)
		charges := make([]wallet.Charge, 50)
		answers := make([]wallet.Receipt, len(charges))
		errs := make([]error, len(charges))
		var running sync.WaitGroup
		for i := range charges {
			charges[i] = withID(view(w, fmt.Sprintf("news:/%d", i)), b.id())
			running.Go(func() { answers[i], errs[i] = b.l.Charge(b.Context(), charges[i]) })
		}
		if err := b.l.Close(); err != nil {
			b.Fatalf("Close: %v", err)
		}
		running.Wait()
		b.reopen()
		for i, c := range charges {
			switch r := do(b, wallet.Ledger.Charge, c); {
			case errs[i] != nil && !errors.Is(errs[i], wallet.ErrUnavailable):
				b.Errorf("a charge beside Close: %v, want an answer or ErrUnavailable", errs[i])
			case errs[i] == nil && (r.Outcome != wallet.Replayed || !r.Time.Equal(answers[i].Time) || r.Balance != answers[i].Balance):
				b.Errorf("invariant 5: an acknowledged charge was %+v and is %+v", answers[i], r)
			case !r.Outcome.Done():
				b.Errorf("invariant 6: the retry answered %v", r.Outcome)
			}
		}
		b.has(w, hundred-price*wallet.Amount(len(charges)), 0)
	}},
	{"an id is stale after a restart as before it (invariants 3, 5)", func(b *trial) {
		c := withID(view(b.wallet(hundred), article), b.id())
		first := do(b, wallet.Ledger.Charge, c)
		b.clock.Advance(wallet.ChargeMemory)
		b.reopen()
		again(b, wallet.Ledger.Charge, c, first)
		b.clock.Advance(time.Millisecond)
		b.reopen()
		expect(b, wallet.Ledger.Charge, c, wallet.Receipt{Outcome: wallet.Stale})
	}},
	{"a listing goes on over a restart", func(b *trial) {
		w := b.wallet(hundred)
		want := pages(b, wallet.MaxPage, b.entriesOf(w))
		_, next, err := b.entriesOf(w)("", 1)
		if err != nil {
			b.Fatal(err)
		}
		b.reopen()
		if got, _, err := b.entriesOf(w)(next, 1); err != nil || !same(got, want[1:]) {
			b.Fatalf("the second page is %+v, %v, want %+v", got, err, want[1:])
		}
	}},
}

// audit is Verify's answer, but for how many records the journal has.
func (b *trial) audit() wallet.Audit {
	b.Helper()
	a, err := b.l.Verify(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	a.Entries = 0
	return a
}

func (b *trial) standing(q wallet.StandingQuery) wallet.Standing {
	b.Helper()
	s, err := b.l.Standing(b.Context(), q)
	if err != nil {
		b.Fatal(err)
	}
	return s
}
