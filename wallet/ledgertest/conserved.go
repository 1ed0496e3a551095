package ledgertest

import (
	"context"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// AssertConserved proves the books: Verify finds that they add up and that the
// journal says the same (invariants 1 and 7), no wallet is below zero
// (invariant 2), and the wallets listed have together what the audit says. No
// operation may run beside it.
func AssertConserved(t testing.TB, l wallet.Ledger) {
	t.Helper()
	for _, violation := range violations(context.Background(), l) {
		t.Error(violation)
	}
}

// violations lists what is wrong with a ledger's books.
func violations(ctx context.Context, l wallet.Ledger) []string {
	audit, err := l.Verify(ctx)
	if err != nil {
		return []string{"Verify: " + err.Error()}
	}
	v := new(list)
	v.require(audit.OK(), "invariants 1, 7: Verify: sum %s, differences %+v", audit.Sum, audit.Differences)
	v.require(audit.Funding <= 0, "invariant 1: funding accounts have %s: more left than ever came in", audit.Funding)
	v.require(audit.Site >= 0, "invariant 2: the site has %s", audit.Site)
	var available, held wallet.Amount
	wallets, err := all(func(cursor string) ([]wallet.Wallet, string, error) {
		return l.Wallets(ctx, cursor, wallet.MaxPage)
	})
	v.require(err == nil, "listing the wallets: %v", err)
	for _, w := range wallets {
		v.require(w.Available >= 0 && w.Held >= 0, "invariant 2: wallet %s has %s and holds %s", w.ID, w.Available, w.Held)
		v.require(w.Available+w.Held <= wallet.MaxAmount, "wallet %s has %s and holds %s: above the limit", w.ID, w.Available, w.Held)
		available += w.Available
		held += w.Held
	}
	v.require(available == audit.Available && held == audit.Held && len(wallets) == audit.Wallets,
		"invariant 1: %d wallets have %s and hold %s, the audit says %d, %s and %s",
		len(wallets), available, held, audit.Wallets, audit.Available, audit.Held)
	return *v
}
