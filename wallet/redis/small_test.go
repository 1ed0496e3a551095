package redis

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// smallLibrary has limits that a busy site reaches and a test does not.
func smallLibrary(t testing.TB) *library {
	limits := map[string]string{
		"MOST_ITEMS, MOST_IDS = 24, 24": "MOST_ITEMS, MOST_IDS = 2, 2",
		"MOST_DUE = 500":                "MOST_DUE = 2",
		"AT_ONCE = 1000":                "AT_ONCE = 4",

		"NARROW_BALANCES, NARROW_POSITIONS = 4294967296, 1099511627776": "NARROW_BALANCES, NARROW_POSITIONS = 3000000, 163840",
	}
	return newLibrary(func(text string) string {
		for from, to := range limits {
			if !strings.Contains(text, from) {
				t.Fatalf("no file says %q", from)
			}
			text = strings.Replace(text, from, to, 1)
		}
		return text
	})
}

// What does not fit into a wallet is not forgotten: the whole contract holds where next
// to nothing fits.
func TestConformanceOfWalletsThatOverflow(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, engineOn(Options{Addresses: []string{redistest.Start(t).Addr()}, library: smallLibrary(t)}))
}

func TestPropertyOfWalletsThatOverflow(t *testing.T) {
	t.Parallel()
	ledgertest.Property(t, engineOn(Options{Addresses: []string{redistest.Start(t).Addr()}, library: smallLibrary(t)}))
}

// A program that pays for hundreds of pages an hour is served as a reader is: each id is
// known, each page stays paid for, and each charge can be settled (invariants 3, 4).
func TestABusyWalletForgetsNothing(t *testing.T) {
	clock := ledgertest.NewClock(time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC))
	l := openOn(t, Options{Addresses: []string{redistest.Start(t).Addr()}}, clock.Now)
	w := ledgertest.NewWallet(t, l, clock.Now, 100*wallet.Unit)
	var charges []wallet.Charge
	for i := range 500 {
		c := wallet.Charge{
			ID: ledgertest.NewID(t, clock.Now), Wallet: w, Generation: 1, Rule: "news", Resource: fmt.Sprintf("news:/%d", i),
			Price: wallet.Unit / 10, Window: 2 * time.Hour,
		}
		applied(t)(l.Charge(t.Context(), c))
		charges = append(charges, c)
		clock.Advance(time.Second)
	}
	for i, c := range charges {
		if r, err := l.Charge(t.Context(), c); err != nil || r.Outcome != wallet.Replayed {
			t.Fatalf("invariant 3: charge %d again answers %v, %v", i, r.Outcome, err)
		}
		other := c
		other.ID = ledgertest.NewID(t, clock.Now)
		if r, err := l.Charge(t.Context(), other); err != nil || r.Outcome != wallet.Granted {
			t.Fatalf("invariant 4: page %d is %v, %v", i, r.Outcome, err)
		}
	}
	for _, c := range charges[:100] {
		s := wallet.Settlement{ID: ledgertest.NewID(t, clock.Now), Wallet: w, Resource: c.Resource, Charge: c.ID}
		applied(t)(l.Settle(t.Context(), s))
		s.ID = ledgertest.NewID(t, clock.Now)
		if r, err := l.Settle(t.Context(), s); err != nil || r.Outcome != wallet.Spent {
			t.Fatalf("invariant 3: a refund again answers %v, %v", r.Outcome, err)
		}
	}
	clock.Advance(3 * time.Hour)
	tendings := make([]tending, len(l.shards))
	for range 100 {
		if err := l.tendOnce(t.Context(), tendings); err != nil {
			t.Fatal(err)
		}
	}
	root := l.root()
	c, err := l.servers.master(t.Context(), root.fixed[keyGrants])
	if err != nil {
		t.Fatal(err)
	}
	if n := c.HLen(t.Context(), root.fixed[keyGrants]).Val(); n != 0 {
		t.Errorf("%d grants are remembered that have ended", n)
	}
	if n := c.HStrLen(t.Context(), root.fixed[keyWallets], string(w[:])).Val(); n > 300 {
		t.Errorf("the wallet still takes %d bytes", n)
	}
	ledgertest.AssertConserved(t, l)
}

func applied(t testing.TB) func(wallet.Receipt, error) wallet.Receipt {
	return func(r wallet.Receipt, err error) wallet.Receipt {
		t.Helper()
		if err != nil || r.Outcome != wallet.Applied {
			t.Fatalf("an operation answered %v, %v", r.Outcome, err)
		}
		return r
	}
}

// A page that was refunded and paid for again is what was paid for last, also when that
// has ended and is forgotten before the first would have been (invariant 4).
func TestAnOlderGrantDoesNotComeBack(t *testing.T) {
	clock := ledgertest.NewClock(time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC))
	l := openOn(t, Options{Addresses: []string{redistest.Start(t).Addr()}}, clock.Now)
	w := ledgertest.NewWallet(t, l, clock.Now, wallet.Unit)
	view := wallet.Charge{
		ID: ledgertest.NewID(t, clock.Now), Wallet: w, Generation: 1, Rule: "news", Resource: "news:/a", Price: 1, Window: 5 * time.Hour, Ahead: true,
	}
	settle := wallet.Settlement{ID: ledgertest.NewID(t, clock.Now), Wallet: w, Resource: view.Resource}
	applied(t)(l.Charge(t.Context(), view))
	applied(t)(l.Settle(t.Context(), settle))
	view.ID, view.Window = ledgertest.NewID(t, clock.Now), time.Minute
	applied(t)(l.Charge(t.Context(), view))
	clock.Advance(2 * time.Hour)
	if err := l.tendOnce(t.Context(), make([]tending, len(l.shards))); err != nil {
		t.Fatal(err)
	}
	settle.ID = ledgertest.NewID(t, clock.Now)
	if r, err := l.Settle(t.Context(), settle); err != nil || r.Outcome != wallet.NotFound {
		t.Errorf("invariant 4: the older charge is settled again: %v, %v", r.Outcome, err)
	}
	ledgertest.AssertConserved(t, l)
}
