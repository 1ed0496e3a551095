package local

import (
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// smallSegments makes a test's ledger go through segments and snapshots that a
// busy site sees once an hour.
const smallSegments = 16 << 10

func openAt(t testing.TB, dir string, clock func() time.Time) *Ledger {
	t.Helper()
	l, err := Open(Options{Dir: dir, Clock: clock, SegmentSize: smallSegments})
	if err != nil {
		t.Fatalf("opening the ledger: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// engine is this package for the conformance suite.
var engine = ledgertest.Engine{
	Open: func(t testing.TB, clock func() time.Time) wallet.Ledger {
		return openAt(t, t.TempDir(), clock)
	},
	Reopen: func(t testing.TB, l wallet.Ledger, clock func() time.Time) wallet.Ledger {
		t.Helper()
		if err := l.Close(); err != nil {
			t.Fatalf("closing the ledger: %v", err)
		}
		return openAt(t, string(l.(*Ledger).fs.(directory)), clock)
	},
}

func TestConformance(t *testing.T) { ledgertest.Run(t, engine) }

func TestPropertyAgainstTheModel(t *testing.T) { ledgertest.Property(t, engine) }
