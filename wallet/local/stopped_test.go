package local

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// After a failed sync nobody knows what is on the disk. The ledger must not try
// again and must not answer; the next Open finds out (invariants 5, 6).
func TestAfterAFailedSyncNothingIsAnswered(t *testing.T) {
	ctx := context.Background()
	d := newDisk(rand.New(rand.NewPCG(1, 1)))
	l, err := openOn(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
	d.fail(faults{failIn: 1})
	charge := wallet.Charge{ID: newID(), Wallet: w, Generation: 1, Rule: "news", Resource: "news:/a", Price: 5, Window: time.Hour}
	for range 2 {
		if _, err := l.Charge(ctx, charge); !errors.Is(err, wallet.ErrStopped) || !errors.Is(err, wallet.ErrUnavailable) || !errors.Is(err, errSync) {
			t.Errorf("the charge answers %v, want ErrStopped and the cause", err)
		}
	}
	syncs := d.syncs()
	for name, err := range map[string]error{
		"Standing": second(l.Standing(ctx, wallet.StandingQuery{Wallet: w})),
		"Wallet":   second(l.Wallet(ctx, w)),
		"Verify":   second(l.Verify(ctx)),
		"Release":  second(l.Release(ctx, wallet.Release{ID: newID(), Wallet: w})),
	} {
		if !errors.Is(err, wallet.ErrStopped) {
			t.Errorf("%s answers %v, want ErrStopped", name, err)
		}
	}
	if err := l.Close(); !errors.Is(err, errSync) {
		t.Errorf("Close answers %v and hides that something was not made durable", err)
	}
	if again := d.syncs(); again != syncs {
		t.Errorf("%d syncs were tried after the one that failed", again-syncs)
	}
	l, err = openOn(d.restart(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := l.Charge(ctx, charge); err != nil || !r.Outcome.Done() {
		t.Errorf("after the next Open the charge answers %+v, %v", r, err)
	}
	ledgertest.AssertConserved(t, l)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// Whoever holds a ledger that has stopped closes it and opens it again, perhaps
// for days until somebody has freed the disk. Each time everything is given back.
func TestALedgerThatHasStoppedGivesEverythingBack(t *testing.T) {
	for name, fault := range map[string]faults{
		"a failed sync": {failIn: 5}, "a full disk": {fullIn: 5}, "a power cut": {cutIn: 5},
		"a failed sync of a new segment": {failIn: 60}, "a full disk at a new segment": {fullIn: 60},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			d := newDisk(rand.New(rand.NewPCG(1, 1)))
			var log bytes.Buffer
			l, err := openOn(withoutSnapshots{d}, Options{Dir: "/var/lib/paywall", SegmentSize: 4 << 10, Log: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			w := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
			d.fail(fault)
			for n := 0; err == nil && n < 10_000; n++ {
				_, err = l.Transfer(context.Background(), wallet.Transfer{
					ID: newID(), From: wallet.FundingOperator, To: wallet.WalletAccount(w), Amount: 1, Note: strings.Repeat("note ", 20),
				})
			}
			if !errors.Is(err, wallet.ErrStopped) {
				t.Errorf("the ledger answers %v, want ErrStopped", err)
			}
			if err := l.Close(); !errors.Is(err, wallet.ErrStopped) {
				t.Errorf("Close answers %v, want ErrStopped", err)
			}
			if d.opened != 0 {
				t.Errorf("%d files are open after Close", d.opened)
			}
			if n := strings.Count(log.String(), "ledger stopped: "); n != 1 || !strings.Contains(log.String(), "/var/lib/paywall") {
				t.Errorf("the log says %d times that it has stopped: %s", n, log.String())
			}
		})
	}
}

// A read that fails leaves nothing in doubt: the ledger goes on, and the same
// question may be asked again.
func TestAReadThatFailsStopsNothing(t *testing.T) {
	ctx := context.Background()
	d := newDisk(rand.New(rand.NewPCG(1, 1)))
	l, err := openOn(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	charge := wallet.Charge{
		ID: newID(), Wallet: ledgertest.NewWallet(t, l, time.Now, wallet.Unit), Generation: 1,
		Rule: "news", Resource: "news:/a", Price: 5, Window: time.Hour,
	}
	done(t)(l.Charge(ctx, charge))
	refund := wallet.Settlement{ID: newID(), Wallet: charge.Wallet, Resource: charge.Resource, Charge: charge.ID}
	for name, ask := range map[string]func() error{
		"a replay": func() error { return second(l.Charge(ctx, charge)) },
		"a refund": func() error { return second(l.Settle(ctx, refund)) },
		"Entries":  func() error { _, _, err := l.Entries(ctx, charge.Wallet, "", 10); return err },
		"Verify":   func() error { return second(l.Verify(ctx)) },
	} {
		d.fail(faults{readIn: 1})
		if err := ask(); !errors.Is(err, wallet.ErrUnavailable) || errors.Is(err, wallet.ErrStopped) || !errors.Is(err, errSync) {
			t.Errorf("%s answers %v, want ErrUnavailable and the cause", name, err)
		}
		if err := ask(); err != nil {
			t.Errorf("%s asked again answers %v", name, err)
		}
	}
	ledgertest.AssertConserved(t, l)
	if err := l.Close(); err != nil || d.opened != 0 {
		t.Errorf("Close answers %v, and %d files are open", err, d.opened)
	}
}
