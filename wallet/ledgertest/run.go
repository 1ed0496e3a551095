package ledgertest

import (
	"slices"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Engine is how the suite gets at a ledger to test.
type Engine struct {
	// Open returns an empty ledger that takes the time from clock alone. It
	// frees what it takes through t.Cleanup; the suite may have closed the
	// ledger by then.
	Open func(t testing.TB, clock func() time.Time) wallet.Ledger

	// Reopen closes l and opens the same store again. Nil where the engine
	// keeps nothing: what must survive a restart is then not tested.
	Reopen func(t testing.TB, l wallet.Ledger, clock func() time.Time) wallet.Ledger

	// IDsOfWallets says that the engine knows an id only in operations about
	// the wallet it came with: for another wallet the same id is another
	// operation, and takes effect. False where it knows an id in all
	// operations: there it is a Conflict. For its own wallet an id with other
	// content is a Conflict in every engine.
	IDsOfWallets bool

	// Together reports whether two wallets share the accounts that have a name,
	// for an engine that keeps each in parts, as in the shards of a distributed
	// ledger: the limit of such an account is that of a part. Nil where it
	// keeps them whole.
	Together func(a, b wallet.WalletID) bool
}

// scenario is one sentence of the contract and how to hold it against a
// ledger.
type scenario struct {
	says string
	run  func(b *trial)
}

// Run is the conformance suite: a subtest for each sentence of the contract.
// An engine that passes keeps the invariants that package wallet numbers, as
// far as they can be seen without a crash.
func Run(t *testing.T, e Engine) {
	suite := slices.Concat(
		idScenarios, charging, bundles, payingAhead, refundsByID, credentials, transfers, holding, holdEnds, keeping,
		issuing, redeeming, registers, listings, books, limits, endings, races)
	if e.Reopen != nil {
		suite = append(suite, restarts...)
	}
	for _, s := range suite {
		t.Run(s.says, func(t *testing.T) {
			b := newTrial(t, e)
			s.run(b)
			if !b.closed {
				AssertConserved(t, b.l)
			}
		})
	}
}
