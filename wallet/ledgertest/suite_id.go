package ledgertest

import (
	"context"
	"reflect"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// deed is an operation of any kind that will be Applied, and can be asked for
// under any id.
type deed struct {
	kind   string
	memory time.Duration
	do     func(ctx context.Context, l wallet.Ledger, id wallet.OpID) (wallet.Receipt, error)
	others []deed // the same but for one field
}

func deedOf[Op any](memory time.Duration, m method[Op], op Op) deed {
	d := bareDeed(reflect.TypeFor[Op]().Name(), memory, m, op)
	for _, field := range contentOf[Op]() {
		d.others = append(d.others, bareDeed(d.kind+" with another "+field, memory, m, altered(op, field)))
	}
	return d
}

func bareDeed[Op any](kind string, memory time.Duration, m method[Op], op Op) deed {
	return deed{kind: kind, memory: memory, do: func(ctx context.Context, l wallet.Ledger, id wallet.OpID) (wallet.Receipt, error) {
		return m(l, ctx, withID(op, id))
	}}
}

// deeds prepares one operation of every kind. None stands in another's way.
func (b *trial) deeds() []deed {
	w := func() wallet.WalletID { return b.wallet(hundred) }
	hold := func() (wallet.WalletID, wallet.OpID) {
		h := withID(set(w(), wallet.Unit), b.id())
		h.TTL = wallet.MaxHold
		do(b, wallet.Ledger.Hold, h)
		return h.Wallet, h.ID
	}
	ahead := view(w(), article)
	ahead.Ahead, ahead.Window = true, wallet.MaxWindow
	do(b, wallet.Ledger.Charge, ahead)
	named := withID(view(w(), article), b.id())
	do(b, wallet.Ledger.Charge, named)
	captured, captureOf := hold()
	released, releaseOf := hold()
	code := NewVoucher(b, b.l, b.clock.Now, wallet.Unit)
	void := do(b, wallet.Ledger.IssueVouchers, wallet.IssueVouchers{
		Value: wallet.Unit, Digests: []wallet.Digest{NewDigest(b)},
	})
	fresh := wallet.WalletID(b.id())
	const brief, long = wallet.ChargeMemory, wallet.MoneyMemory
	return []deed{
		deedOf(brief, wallet.Ledger.Charge, view(w(), article)),
		deedOf(brief, wallet.Ledger.Buy, bundle(w(), 5)),
		deedOf(brief, wallet.Ledger.Settle, wallet.Settlement{Wallet: ahead.Wallet, Resource: article}),
		deedOf(brief, wallet.Ledger.Settle, wallet.Settlement{Wallet: named.Wallet, Resource: article, Charge: named.ID}),
		deedOf(brief, wallet.Ledger.Hold, set(w(), wallet.Unit)),
		deedOf(brief, wallet.Ledger.Capture, wallet.Capture{
			Wallet: captured, Hold: captureOf, Amount: price, Rule: rule, Resource: article, Window: window,
		}),
		deedOf(brief, wallet.Ledger.Release, wallet.Release{Wallet: released, Hold: releaseOf}),
		deedOf(long, wallet.Ledger.Transfer, pay(wallet.WalletAccount(w()), wallet.WalletAccount(w()), price)),
		deedOf(long, wallet.Ledger.CreateWallet, wallet.CreateWallet{Wallet: fresh, Recovery: NewDigest(b)}),
		deedOf(long, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w(), Recovery: NewDigest(b), Revoke: true}),
		deedOf(long, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w(), Frozen: true, Note: "lost"}),
		deedOf(long, wallet.Ledger.IssueVouchers, wallet.IssueVouchers{
			Value: wallet.Unit, Expires: b.now().Add(validity), Note: "fair", Digests: []wallet.Digest{NewDigest(b), NewDigest(b)},
		}),
		deedOf(long, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w(), Code: code}),
		deedOf(long, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: void.Serial, Note: "misprint"}),
	}
}

// answer runs a deed that must be answered.
func (b *trial) answer(d deed, id wallet.OpID) wallet.Receipt {
	b.Helper()
	r, err := d.do(b.Context(), b.l, id)
	if err != nil {
		b.Fatalf("%s: %v", d.kind, err)
	}
	return r
}

// answers checks the outcome of a deed, and that any but Applied changed
// nothing.
func (b *trial) answers(d deed, id wallet.OpID, want wallet.Outcome) wallet.Receipt {
	b.Helper()
	before := b.snapshot()
	r := b.answer(d, id)
	if r.Outcome != want {
		b.Errorf("%s answered %v, want %v", d.kind, r.Outcome, want)
	}
	if r.Outcome != wallet.Applied {
		b.unchanged(before, d.kind, r.Outcome)
	}
	return r
}

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
			for _, other := range d.others {
				if r := b.answers(other, id, wallet.Conflict); !same(r, wallet.Receipt{Outcome: wallet.Conflict}) {
					b.Errorf("%s: a conflict tells %+v", other.kind, r)
				}
			}
		}
	}},
	{"an id that comes back with another kind of operation is a conflict (invariant 3)", func(b *trial) {
		deeds, id := b.deeds(), b.id()
		b.answers(deeds[0], id, wallet.Applied)
		for _, other := range deeds[1:] {
			b.answers(other, id, wallet.Conflict)
		}
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
