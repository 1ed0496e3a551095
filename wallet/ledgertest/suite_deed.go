package ledgertest

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
)

// deed is an operation of any kind that will be Applied, and can be asked for
// under any id.
type deed struct {
	kind   string
	about  wallet.WalletID
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
	do := func(ctx context.Context, l wallet.Ledger, id wallet.OpID) (wallet.Receipt, error) {
		return m(l, ctx, withID(op, id))
	}
	return deed{kind: kind, about: history.About(op), memory: memory, do: do}
}

// knowing leaves of some deeds those in which the engine knows the id of d.
func (b *trial) knowing(d deed, some []deed) []deed {
	if !b.engine.IDsOfWallets {
		return some
	}
	return slices.DeleteFunc(slices.Clone(some), func(other deed) bool { return other.about != d.about })
}

// kindsAbout is an operation of every kind, of those about a wallet about this
// one. Not all could be Applied: they are for an id that is judged first.
func (b *trial) kindsAbout(w wallet.WalletID) []deed {
	const brief, long = wallet.ChargeMemory, wallet.MoneyMemory
	issue := wallet.IssueVouchers{Value: price, Digests: []wallet.Digest{NewDigest(b)}}
	return []deed{
		deedOf(brief, wallet.Ledger.Charge, view(w, "news:/kinds")),
		deedOf(brief, wallet.Ledger.Buy, bundle(w, 1)),
		deedOf(brief, wallet.Ledger.Settle, settle(w, true)),
		deedOf(brief, wallet.Ledger.Hold, set(w, price)),
		deedOf(brief, wallet.Ledger.Capture, capture(w, b.id(), price)),
		deedOf(brief, wallet.Ledger.Release, wallet.Release{Wallet: w, Hold: b.id()}),
		deedOf(long, wallet.Ledger.Transfer, pay(card, wallet.WalletAccount(w), price)),
		deedOf(long, wallet.Ledger.CreateWallet, wallet.CreateWallet{Wallet: w}),
		deedOf(long, wallet.Ledger.Rekey, wallet.Rekey{Wallet: w}),
		deedOf(long, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w}),
		deedOf(long, wallet.Ledger.IssueVouchers, issue),
		deedOf(long, wallet.Ledger.Redeem, wallet.Redeem{Wallet: w, Code: NewDigest(b)}),
		deedOf(long, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: 1}),
	}
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
