package ledgertest

import (
	"bytes"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

var holdEnds = []scenario{
	{"a hold that expires is back at its end, with an entry of that time (invariants 1, 7)", func(b *trial) {
		w := b.wallet(hundred)
		hold := b.held(w, price)
		end := b.now().Add(set(w, price).TTL)
		b.clock.Advance(set(w, price).TTL - time.Millisecond)
		b.has(w, hundred-price, price)
		b.clock.Advance(time.Millisecond + time.Minute)
		b.lastEntry(w, wallet.Entry{ID: hold, Time: end, Kind: wallet.KindRelease, Amount: price, Balance: hundred})
		b.has(w, hundred, 0)
		b.audited(wallet.Audit{Wallets: 1, Available: hundred, Funding: -hundred})
	}},
	{"every answer shows a hold that has expired (invariant 2)", func(b *trial) {
		ttl := set(wallet.WalletID{}, price).TTL
		for _, shows := range []func(w wallet.WalletID){
			func(w wallet.WalletID) { b.has(w, hundred, 0) },
			func(w wallet.WalletID) {
				b.stands(wallet.StandingQuery{Wallet: w}, wallet.Standing{Credential: wallet.Applied, Available: hundred})
			},
			func(w wallet.WalletID) {
				page, _, err := b.l.Wallets(b.Context(), "", wallet.MaxPage)
				i := slices.IndexFunc(page, func(listed wallet.Wallet) bool { return listed.ID == w })
				if err != nil || i < 0 || page[i].Available != hundred || page[i].Held != 0 {
					b.Errorf("Wallets lists %+v, %v", page, err)
				}
			},
			func(w wallet.WalletID) {
				if a, err := b.l.Verify(b.Context()); err != nil || a.Held != 0 {
					b.Errorf("Verify finds %s held, %v", a.Held, err)
				}
			},
			func(w wallet.WalletID) {
				expect(b, wallet.Ledger.Transfer, pay(wallet.WalletAccount(w), wallet.Site, hundred), wallet.Receipt{
					Outcome: wallet.Applied, Amount: hundred,
				})
			},
		} {
			w := b.wallet(hundred)
			b.held(w, hundred)
			b.clock.Advance(ttl)
			shows(w)
		}
	}},
	{"a charge spends what an expired hold gave back (invariant 2)", func(b *trial) {
		w := b.wallet(price)
		b.held(w, price)
		b.clock.Advance(set(w, price).TTL)
		r := do(b, wallet.Ledger.Charge, view(w, article))
		if r.Outcome != wallet.Applied {
			b.Fatalf("the charge answered %v", r.Outcome)
		}
		b.lastEntry(w, wallet.Entry{
			ID: r.ID, Time: r.Time, Kind: wallet.KindCharge, Amount: -price, Rule: rule, Resource: article,
		})
	}},
	{"holds that expire between two looks come back by end and then by id (invariant 7)", func(b *trial) {
		w := b.wallet(hundred)
		type due struct {
			id     wallet.OpID
			end    time.Time
			amount wallet.Amount
		}
		var order []due
		for i, minutes := range []time.Duration{30, 10, 20, 20, 20, 20, 5} {
			h := withID(set(w, wallet.Amount(i+1)), b.id())
			h.TTL = minutes * time.Minute
			do(b, wallet.Ledger.Hold, h)
			order = append(order, due{h.ID, b.now().Add(h.TTL), h.Amount})
		}
		slices.SortFunc(order, func(x, y due) int {
			if c := x.end.Compare(y.end); c != 0 {
				return c
			}
			return bytes.Compare(x.id[:], y.id[:])
		})
		b.clock.Advance(time.Hour)
		var want []wallet.Entry
		balance := hundred - 28
		for _, d := range order {
			balance += d.amount
			want = append(want, wallet.Entry{ID: d.id, Time: d.end, Kind: wallet.KindRelease, Amount: d.amount, Balance: balance})
		}
		slices.Reverse(want)
		got, _, err := b.l.Entries(b.Context(), w, "", len(want))
		if err != nil || !same(got, want) {
			b.Fatalf("the entries are\n%+v, %v, want\n%+v", got, err, want)
		}
	}},
	{"a hold is known for an hour after its end and then forgotten", func(b *trial) {
		w := b.wallet(hundred)
		captured, expired := b.held(w, price), b.held(w, price)
		do(b, wallet.Ledger.Capture, capture(w, captured, price))
		b.clock.Advance(set(w, price).TTL + wallet.ChargeMemory)
		for _, hold := range []wallet.OpID{captured, expired} {
			expect(b, wallet.Ledger.Release, wallet.Release{Wallet: w, Hold: hold}, wallet.Receipt{
				Outcome: wallet.Spent, Balance: hundred - price,
			})
		}
		b.clock.Advance(time.Millisecond)
		for _, hold := range []wallet.OpID{captured, expired} {
			expect(b, wallet.Ledger.Release, wallet.Release{Wallet: w, Hold: hold}, wallet.Receipt{Outcome: wallet.NotFound})
			expect(b, wallet.Ledger.Capture, capture(w, hold, price), wallet.Receipt{Outcome: wallet.NotFound})
		}
	}},
	{"a hold may last longer than its id is remembered", func(b *trial) {
		w := b.wallet(hundred)
		h := withID(set(w, price), b.id())
		h.TTL = wallet.MaxHold
		do(b, wallet.Ledger.Hold, h)
		b.clock.Advance(wallet.MaxHold - time.Millisecond)
		expect(b, wallet.Ledger.Hold, h, wallet.Receipt{Outcome: wallet.Stale})
		expect(b, wallet.Ledger.Capture, capture(w, h.ID, price), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: b.now().Add(window),
		})
	}},
	{"a wallet takes nothing that its holds could not come back to (invariant 2)", func(b *trial) {
		w := b.wallet(hundred)
		b.held(w, hundred)
		expect(b, wallet.Ledger.Transfer, pay(card, wallet.WalletAccount(w), wallet.MaxAmount-hundred+1), wallet.Receipt{
			Outcome: wallet.Limit,
		})
		expect(b, wallet.Ledger.Transfer, pay(card, wallet.WalletAccount(w), wallet.MaxAmount-hundred), wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.MaxAmount - hundred, Balance: wallet.MaxAmount - hundred,
		})
		b.clock.Advance(set(w, price).TTL)
		b.has(w, wallet.MaxAmount, 0)
	}},
	{"a full wallet can still set money aside (invariant 2)", func(b *trial) {
		w := b.wallet(wallet.MaxAmount)
		hold := b.held(w, wallet.MaxAmount)
		b.has(w, 0, wallet.MaxAmount)
		expect(b, wallet.Ledger.Capture, capture(w, hold, wallet.MaxAmount), wallet.Receipt{
			Outcome: wallet.Applied, Amount: wallet.MaxAmount, Until: b.now().Add(window),
		})
	}},
}
