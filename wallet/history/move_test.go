package history_test

import (
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/local"
)

// embedded is the engine that keeps a ledger in a directory.
var embedded = ledgertest.Engine{
	Open: func(t testing.TB, clock func() time.Time) wallet.Ledger {
		return openAt(t, t.TempDir(), clock)
	},
}

// reference is the contract in plain data structures.
var reference = ledgertest.Engine{
	Open: func(_ testing.TB, clock func() time.Time) wallet.Ledger { return ledgertest.NewModel(clock) },
}

func openAt(t testing.TB, dir string, clock func() time.Time) *local.Ledger {
	t.Helper()
	l, err := local.Open(local.Options{Dir: dir, Clock: clock, SegmentSize: 16 << 10})
	if err != nil {
		t.Fatalf("opening the ledger: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Whatever has happened, a ledger that was moved shows all of it and goes on as
// if nothing had been (invariants 1 to 4 and 7).
func TestAMovedLedgerShowsWhatItShowedAndGoesOn(t *testing.T) { ledgertest.Move(t, embedded, embedded) }

// The contract alone decides what comes of a history, and not the engine that
// wrote it.
func TestAHistoryComesToTheSameInTheModel(t *testing.T) { ledgertest.Move(t, embedded, reference) }
