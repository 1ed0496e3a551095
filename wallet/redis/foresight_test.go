package redis

import (
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// A guess is made where it is likely to be right, and is dropped when it turns out wrong;
// the charge judges in any case (invariants 2, 4, 8).
func TestAForeseenStandingDecidesNothing(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}}
	l, other := openOn(t, o, nil), openOn(t, o, nil)
	w := ledgertest.NewWallet(t, l, l.now, wallet.Unit)
	view := func(resource string) wallet.Charge {
		return wallet.Charge{
			ID: ledgertest.NewID(t, l.now), Wallet: w, Generation: 1, Rule: "news", Resource: resource, Price: wallet.Unit / 4, Window: time.Hour,
		}
	}
	foreseen := func(resource string) bool {
		_, is := l.Foresee(wallet.StandingQuery{Wallet: w, Generation: 1, Rule: "news", Resource: resource})
		return is
	}
	if foreseen("news:/a") {
		t.Error("something is foreseen of a wallet that nobody has heard of")
	}
	applied(t)(l.Charge(t.Context(), view("news:/a")))
	if !foreseen("news:/b") {
		t.Error("nothing is foreseen of a wallet that has just paid")
	}
	if foreseen("news:/a") {
		t.Error("a page that was paid for is foreseen to cost something")
	}
	if _, is := l.Foresee(wallet.StandingQuery{Wallet: w, Generation: 2, Resource: "news:/b"}); is {
		t.Error("something is foreseen of another credential")
	}
	applied(t)(other.Rekey(t.Context(), wallet.Rekey{ID: ledgertest.NewID(t, l.now), Wallet: w, Revoke: true}))
	if r, err := l.Charge(t.Context(), view("news:/b")); err != nil || r.Outcome != wallet.Revoked {
		t.Errorf("invariant 8: a revoked credential was charged: %v, %v", r.Outcome, err)
	}
	if foreseen("news:/c") {
		t.Error("something is still foreseen of a revoked credential")
	}
	ledgertest.AssertConserved(t, l)
}

func TestAWalletThatIsEmptyIsNotForeseenToPay(t *testing.T) {
	l := openOn(t, Options{Addresses: []string{redistest.Start(t).Addr()}}, nil)
	w := ledgertest.NewWallet(t, l, l.now, 1)
	applied(t)(l.Charge(t.Context(), wallet.Charge{
		ID: ledgertest.NewID(t, l.now), Wallet: w, Generation: 1, Rule: "news", Resource: "news:/a", Price: 1, Window: time.Hour,
	}))
	if _, is := l.Foresee(wallet.StandingQuery{Wallet: w, Generation: 1, Resource: "news:/b"}); is {
		t.Error("an empty wallet is foreseen to pay (invariant 2)")
	}
	ledgertest.AssertConserved(t, l)
}
