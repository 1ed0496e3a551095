package caddymodule

import (
	"sync"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// newApp is an app with a ledger and keys of its own, that no site uses.
func newApp(t testing.TB) *App {
	t.Helper()
	app := &App{store: &LocalLedger{Dir: t.TempDir()}}
	app.open = func() (*keys, error) { return nil, nil }
	return app
}

func start(t testing.TB, app *App) {
	t.Helper()
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
}

func cleanUp(t testing.TB, app *App) {
	t.Helper()
	if err := app.Cleanup(); err != nil {
		t.Error(err)
	}
}

// wantsOpen fails the test where the lease's ledger is not open.
func wantsOpen(t testing.TB, l lease) {
	t.Helper()
	if _, err := l.Standing(t.Context(), wallet.StandingQuery{}); err != nil {
		t.Errorf("the leased ledger answers %v", err)
	}
}

// Caddy serves requests through a configuration after its Cleanup.
func TestALeaseKeepsTheLedgerOpenAfterCleanup(t *testing.T) {
	app := newApp(t)
	start(t, app)
	early, err := app.lease()
	if err != nil {
		t.Fatal(err)
	}
	cleanUp(t, app)
	late, err := app.lease()
	if err != nil {
		t.Fatal(err)
	}
	if n := openLedgers(); n != 1 {
		t.Errorf("%d ledgers are open", n)
	}
	early.release()
	wantsOpen(t, late)
	late.release()
	if n := openLedgers(); n != 0 {
		t.Errorf("with every lease released %d ledgers are open", n)
	}
	again, err := app.lease()
	if err != nil {
		t.Fatal(err)
	}
	wantsOpen(t, again)
	again.release()
	if n := openLedgers(); n != 0 {
		t.Errorf("with every lease released again %d ledgers are open", n)
	}
}

// Giving back what another configuration holds would close the ledger under it.
func TestCleanupGivesBackWhatStartTookAndNoMore(t *testing.T) {
	running := newApp(t)
	start(t, running)
	defer cleanUp(t, running)
	failed := newApp(t)
	failed.store = running.store
	cleanUp(t, failed)
	successor := newApp(t)
	successor.store = running.store
	start(t, successor)
	cleanUp(t, successor)
	cleanUp(t, successor)
	l, err := running.lease()
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	wantsOpen(t, l)
	if n, _ := ledgers.References(running.store.StoreKey()); n != 1 {
		t.Errorf("the pool counts %d references", n)
	}
}

// Whoever is last closes the ledger, and nobody uses it after that.
func TestLeasesOfManyRequestsWhileConfigurationsChange(t *testing.T) {
	store := newApp(t).store
	for range 20 {
		app := newApp(t)
		app.store = store
		start(t, app)
		var requests sync.WaitGroup
		for range 8 {
			requests.Go(func() {
				for range 20 {
					l, err := app.lease()
					if err != nil {
						t.Error(err)
						return
					}
					wantsOpen(t, l)
					l.release()
				}
			})
		}
		cleanUp(t, app)
		requests.Wait()
		if n := openLedgers(); n != 0 {
			t.Fatalf("%d ledgers are open", n)
		}
	}
}

func TestALeaseAllocatesNothing(t *testing.T) {
	app := newApp(t)
	start(t, app)
	defer cleanUp(t, app)
	if n := testing.AllocsPerRun(1000, func() { leaseOnce(t, app) }); n != 0 {
		t.Errorf("a lease allocates %v times", n)
	}
}

func leaseOnce(t testing.TB, app *App) {
	l, err := app.lease()
	if err != nil {
		t.Fatal(err)
	}
	l.release()
}

// What each request for a priced page adds to be sure of its ledger.
func BenchmarkLease(b *testing.B) {
	app := newApp(b)
	start(b, app)
	defer cleanUp(b, app)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			leaseOnce(b, app)
		}
	})
}
