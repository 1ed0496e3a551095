package ledgertest

import (
	"cmp"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

var idScenarios = []scenario{
	{"an operation of any kind that is sent again gives the first receipt back, whatever has changed since (invariant 3)", func(b *trial) {
		first := make(map[wallet.OpID]wallet.Receipt)
		done := make(map[wallet.OpID]deed)
		for _, d := range b.deeds() {
			id := b.id()
			done[id], first[id] = d, b.answers(d, id, wallet.Applied)
			if r := first[id]; r.ID != id || !r.Time.Equal(b.now()) {
				b.Errorf("%s: the receipt is of %s at %v, want %s at %v", d.kind, r.ID, r.Time, id, b.now())
			}
		}
		b.clock.Advance(time.Minute)
		for _, w := range b.snapshot().Wallets {
			b.fund(w.ID, 7)
			do(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w.ID, Frozen: true})
			do(b, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w.ID, Revoke: true})
		}
		for id, d := range done {
			want := first[id]
			want.Outcome = wallet.Replayed
			if got := b.answers(d, id, wallet.Replayed); !same(got, want) {
				b.Errorf("%s again: %+v, want %+v", d.kind, got, want)
			}
		}
	}},
	{"an id that comes back with any field changed is a conflict and changes nothing (invariant 3)", func(b *trial) {
		for _, d := range b.deeds() {
			id := b.id()
			b.answers(d, id, wallet.Applied)
			for _, other := range b.knowing(d, d.others) {
				if r := b.answers(other, id, wallet.Conflict); !same(r, wallet.Receipt{Outcome: wallet.Conflict}) {
					b.Errorf("%s: a conflict tells %+v", other.kind, r)
				}
			}
		}
	}},
	{"an id that comes back with another kind of operation is a conflict (invariant 3)", func(b *trial) {
		bystander := b.wallet(hundred)
		for _, d := range b.deeds() {
			id := b.id()
			b.answers(d, id, wallet.Applied)
			for _, other := range b.knowing(d, b.kindsAbout(cmp.Or(d.about, bystander))) {
				if other.kind != d.kind {
					b.answers(other, id, wallet.Conflict)
				}
			}
		}
	}},
	{"an id that comes back for another wallet is a conflict, or another operation where ids are of wallets (invariant 3)", func(b *trial) {
		w, other := b.wallet(hundred), b.wallet(hundred)
		one, two := withID(view(w, article), b.id()), view(other, article)
		two.ID, two.Price = one.ID, 2*price
		h := withID(set(w, price), b.id())
		h2 := withID(set(other, 2*price), h.ID)
		first := do(b, wallet.Ledger.Charge, one)
		firstHold := do(b, wallet.Ledger.Hold, h)
		if !b.engine.IDsOfWallets {
			expect(b, wallet.Ledger.Charge, two, wallet.Receipt{Outcome: wallet.Conflict})
			expect(b, wallet.Ledger.Hold, h2, wallet.Receipt{Outcome: wallet.Conflict})
			return
		}
		second := expect(b, wallet.Ledger.Charge, two, wallet.Receipt{
			Outcome: wallet.Applied, Amount: 2 * price, Balance: hundred - 2*price, Until: b.now().Add(window),
		})
		secondHold := expect(b, wallet.Ledger.Hold, h2, wallet.Receipt{
			Outcome: wallet.Applied, Amount: 2 * price, Balance: hundred - 4*price, Until: b.now().Add(h2.TTL),
		})
		again(b, wallet.Ledger.Charge, one, first)
		again(b, wallet.Ledger.Charge, two, second)
		again(b, wallet.Ledger.Hold, h, firstHold)
		again(b, wallet.Ledger.Hold, h2, secondHold)
		expect(b, wallet.Ledger.Settle, named(settle(w, false), one.ID), wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price,
		})
		expect(b, wallet.Ledger.Release, wallet.Release{Wallet: w, Hold: h.ID}, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred,
		})
		b.has(other, hundred-4*price, 2*price)
		expect(b, wallet.Ledger.Settle, named(settle(other, false), one.ID), wallet.Receipt{
			Outcome: wallet.Applied, Amount: 2 * price, Balance: hundred - 2*price,
		})
		b.clock.Advance(h2.TTL)
		b.has(other, hundred, 0)
		giver := wallet.WalletAccount(b.wallet(price)) // whom a transfer to w is about
		expect(b, wallet.Ledger.Transfer, withID(pay(giver, wallet.WalletAccount(w), 1), one.ID), wallet.Receipt{
			Outcome: wallet.Applied, Amount: 1, Balance: price - 1,
		})
		b.has(w, hundred+1, 0)
	}},
	{"a duration that differs by less than a millisecond is the same content (invariant 3)", func(b *trial) {
		c := withID(view(b.wallet(hundred), article), b.id())
		c.Window = window + time.Microsecond
		first := expect(b, wallet.Ledger.Charge, c, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: hundred - price, Until: b.now().Add(window),
		})
		c.Window = window + time.Millisecond - 1
		again(b, wallet.Ledger.Charge, c, first)
	}},
	{"an id as old as the memory of its kind is good, an older one stale (invariant 3)", func(b *trial) {
		for _, d := range b.deeds() {
			oldest := b.now().Add(-d.memory)
			if r := b.answers(d, b.idAt(oldest.Add(-time.Millisecond)), wallet.Stale); !same(r, wallet.Receipt{Outcome: wallet.Stale}) {
				b.Errorf("%s: a stale one tells %+v", d.kind, r)
			}
			b.answers(d, b.idAt(oldest), wallet.Applied)
		}
	}},
	{"an id of the future is good within the clock skew and stale beyond (invariant 3)", func(b *trial) {
		for _, d := range b.deeds() {
			latest := b.now().Add(wallet.MaxClockSkew)
			b.answers(d, b.idAt(latest.Add(time.Millisecond)), wallet.Stale)
			b.answers(d, b.idAt(latest), wallet.Applied)
		}
	}},
	{"an id is replayed until its memory ends, then stale and never a second effect (invariant 3)", func(b *trial) {
		made := b.now()
		deeds, ids := b.deeds(), []wallet.OpID(nil)
		for _, d := range deeds {
			ids = append(ids, b.id())
			b.answers(d, ids[len(ids)-1], wallet.Applied)
		}
		for _, memory := range []time.Duration{wallet.ChargeMemory, wallet.MoneyMemory} {
			b.clock.Advance(made.Add(memory).Sub(b.now()))
			b.answerAll(deeds, ids, memory, wallet.Replayed)
			b.clock.Advance(time.Millisecond)
			b.answerAll(deeds, ids, memory, wallet.Stale)
		}
	}},
	{"an id of the future is remembered for as long as its own time says (invariant 3)", func(b *trial) {
		c := withID(view(b.wallet(hundred), article), b.idAt(b.now().Add(wallet.MaxClockSkew)))
		first := do(b, wallet.Ledger.Charge, c)
		b.clock.Advance(wallet.ChargeMemory + wallet.MaxClockSkew)
		again(b, wallet.Ledger.Charge, c, first)
		b.clock.Advance(time.Millisecond)
		expect(b, wallet.Ledger.Charge, c, wallet.Receipt{Outcome: wallet.Stale})
	}},
	{"a refused operation is not remembered and may be tried again with the same id (invariant 3)", func(b *trial) {
		w := b.wallet(0)
		c := withID(view(w, article), b.id())
		expect(b, wallet.Ledger.Charge, c, wallet.Receipt{Outcome: wallet.Insufficient})
		b.fund(w, wallet.Unit)
		expect(b, wallet.Ledger.Charge, c, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: wallet.Unit - price, Until: b.now().Add(window),
		})
		granted := withID(view(w, article), b.id())
		expect(b, wallet.Ledger.Charge, granted, wallet.Receipt{
			Outcome: wallet.Granted, Balance: wallet.Unit - price, Until: b.now().Add(window),
		})
		granted.Resource = "news:/b"
		expect(b, wallet.Ledger.Charge, granted, wallet.Receipt{
			Outcome: wallet.Applied, Amount: price, Balance: wallet.Unit - 2*price, Until: b.now().Add(window),
		})
	}},
}

// answerAll runs the deeds of one memory again.
func (b *trial) answerAll(deeds []deed, ids []wallet.OpID, memory time.Duration, want wallet.Outcome) {
	b.Helper()
	for i, d := range deeds {
		if d.memory == memory {
			b.answers(d, ids[i], want)
		}
	}
}
