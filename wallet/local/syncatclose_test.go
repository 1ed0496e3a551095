package local

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// lateLedger is a ledger that syncs when it closes, after n charges.
func lateLedger(t *testing.T, n int) (l *Ledger, d *disk, charges []wallet.Charge) {
	t.Helper()
	d = newDisk(rand.New(rand.NewPCG(uint64(n), 1)))
	l, err := openOn(d, Options{SyncAtClose: true, SegmentSize: smallSegments})
	if err != nil {
		t.Fatal(err)
	}
	w := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
	for i := range n {
		c := wallet.Charge{ID: newID(), Wallet: w, Generation: 1, Rule: "news", Resource: fmt.Sprint("news:/", i), Price: 1, Window: time.Hour}
		done(t)(l.Charge(context.Background(), c))
		charges = append(charges, c)
	}
	return l, d, charges
}

// An import needs no sync for each of its operations, and yet nothing of it is lost
// once the ledger is closed (invariant 5).
func TestALedgerThatSyncsWhenItClosesHasEverythingThen(t *testing.T) {
	for _, n := range []int{0, 1, 10, 1000} {
		l, d, charges := lateLedger(t, n)
		if most := 10 + n/4; d.syncs() > most {
			t.Errorf("%d charges cost %d syncs, want at most %d", n, d.syncs(), most)
		}
		ledgertest.AssertConserved(t, l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l, err := openOn(d.restart(), Options{SegmentSize: smallSegments})
		if err != nil {
			t.Fatalf("after a power cut: %v", err)
		}
		for _, c := range charges {
			if r, err := l.Charge(context.Background(), c); err != nil || r.Outcome != wallet.Replayed {
				t.Fatalf("invariant 5: a charge is lost: %+v, %v", r, err)
			}
		}
		sameBooks(t, l)
		ledgertest.AssertConserved(t, l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A sync that fails at the end is an error of Close, and leaves no snapshot of what
// the disk does not have (invariant 5).
func TestALedgerWhoseLastSyncFailsSaysSo(t *testing.T) {
	l, d, _ := lateLedger(t, 10)
	ledgertest.AssertConserved(t, l)
	d.fail(faults{failIn: 1})
	if err := l.Close(); !errors.Is(err, errSync) || !errors.Is(err, wallet.ErrStopped) {
		t.Errorf("Close answers %v", err)
	}
}
