package local

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// gate is a disk whose syncs wait until they are let through.
type gate struct {
	*disk
	shut chan struct{} // closed to let every sync through; nil: open
}

func (g *gate) Create(name string) (file, error) { return g.through(g.disk.Create(name)) }
func (g *gate) Open(name string) (file, error)   { return g.through(g.disk.Open(name)) }

func (g *gate) through(f file, err error) (file, error) {
	if err != nil {
		return nil, err
	}
	return &gatedFile{f, g}, nil
}

type gatedFile struct {
	file
	g *gate
}

func (f *gatedFile) Sync() error {
	f.g.mu.Lock()
	shut := f.g.shut
	f.g.mu.Unlock()
	if shut != nil {
		<-shut
	}
	return f.file.Sync()
}

func (g *gate) shutIt() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = make(chan struct{})
}

func newGate() *gate { return &gate{disk: newDisk(rand.New(rand.NewPCG(1, 1)))} }

func openGate(t *testing.T, g *gate) *Ledger {
	t.Helper()
	l, err := openOn(g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// While a charge is on its way to the disk, nobody hears anything that rests on
// it: a crash would take it back (invariant 5).
func TestNoAnswerRestsOnWhatIsNotDurable(t *testing.T) {
	ctx := context.Background()
	var w, other wallet.WalletID
	var charge wallet.Charge
	questions := map[string]func(l *Ledger) error{
		"Standing":   func(l *Ledger) error { return second(l.Standing(ctx, wallet.StandingQuery{Wallet: w})) },
		"Wallet":     func(l *Ledger) error { return second(l.Wallet(ctx, w)) },
		"Wallets":    func(l *Ledger) error { _, _, err := l.Wallets(ctx, "", 10); return err },
		"Entries":    func(l *Ledger) error { _, _, err := l.Entries(ctx, w, "", 10); return err },
		"Report":     func(l *Ledger) error { return second(l.Report(ctx, time.Time{}, time.Now())) },
		"Verify":     func(l *Ledger) error { return second(l.Verify(ctx)) },
		"a replay":   func(l *Ledger) error { return second(l.Charge(ctx, charge)) },
		"a grant":    func(l *Ledger) error { again := charge; again.ID = newID(); return second(l.Charge(ctx, again)) },
		"a conflict": func(l *Ledger) error { other := charge; other.Price++; return second(l.Charge(ctx, other)) },
		"an empty wallet": func(l *Ledger) error {
			dear := charge
			dear.ID, dear.Resource, dear.Price = newID(), "news:/b", 9*wallet.Unit
			return second(l.Charge(ctx, dear))
		},
		"a double digest": func(l *Ledger) error { return second(l.CreateWallet(ctx, wallet.CreateWallet{ID: newID(), Wallet: w})) },
		"an unknown way in": func(l *Ledger) error {
			if _, err := l.WalletByRecovery(ctx, wallet.Digest{1}); !errors.Is(err, wallet.ErrNotFound) {
				return err
			}
			return nil
		},
	}
	for name, ask := range questions {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				l := openGate(t, g)
				w = ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
				other = ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
				charge = wallet.Charge{
					ID: newID(), Wallet: w, Generation: 1, Rule: "news", Resource: "news:/a",
					Price: wallet.Unit / 2, Window: time.Hour,
				}
				g.shutIt()
				var all sync.WaitGroup
				all.Go(func() { done(t)(l.Charge(ctx, charge)) })
				synctest.Wait()
				answered := false
				all.Go(func() {
					if err := ask(l); err != nil {
						t.Error(err)
					}
					answered = true
				})
				synctest.Wait()
				if answered {
					t.Error("invariant 5: it was answered before the charge was durable")
				}
				if name == "Standing" { // and nobody waits for others' charges
					if err := second(l.Standing(ctx, wallet.StandingQuery{Wallet: other})); err != nil {
						t.Error(err)
					}
				}
				close(g.shut)
				all.Wait()
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func second[T any](_ T, err error) error { return err }

// A caller that gives up hears that the outcome is unknown, and the same id
// tells it later (invariant 6).
func TestACallerThatGivesUpLearnsTheOutcomeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		l := openGate(t, g)
		w := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
		charge := wallet.Charge{ID: newID(), Wallet: w, Generation: 1, Rule: "news", Resource: "news:/a", Price: 5, Window: time.Hour}
		g.shutIt()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Charge(ctx, charge)
		if !errors.Is(err, wallet.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want ErrUnavailable and the context's", err)
		}
		close(g.shut)
		if r, err := l.Charge(t.Context(), charge); err != nil || r.Outcome != wallet.Replayed || r.Amount != 5 {
			t.Errorf("the retry answers %+v, %v", r, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A hold comes back at its end even where nobody asks for anything.
func TestAHoldExpiresByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := openGate(t, newGate())
		w := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
		done(t)(l.Hold(t.Context(), wallet.Hold{ID: newID(), Wallet: w, Generation: 1, Amount: 7, TTL: time.Minute}))
		time.Sleep(time.Minute + sweepEvery)
		synctest.Wait()
		l.mu.Lock()
		released := l.state.purses.list.at(0).held == 0
		l.mu.Unlock()
		if !released {
			t.Error("the hold is still there, half a second after its end")
		}
		ledgertest.AssertConserved(t, l)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// So many holds may end at the same instant that their releases fill more than a
// frame. A frame too long to be read would be taken for a torn tail at the next
// start, and everything in it lost (invariant 5).
func TestHoldsThatEndAtOnceFillSeveralFrames(t *testing.T) {
	clock := ledgertest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	d := newDisk(rand.New(rand.NewPCG(1, 1)))
	l, err := openOn(d, Options{Clock: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	w := ledgertest.NewWallet(t, l, clock.Now, wallet.Unit)
	const holds = maxFlight / 64
	each(256, holds, func(_, i int) {
		done(t)(l.Hold(context.Background(), wallet.Hold{
			ID: ledgertest.NewID(t, clock.Now), Wallet: w, Generation: 1, Amount: 1, TTL: time.Minute,
		}))
	})
	clock.Advance(time.Minute)
	if shown, err := l.Wallet(context.Background(), w); err != nil || shown.Held != 0 || shown.Available != wallet.Unit {
		t.Fatalf("%+v, %v", shown, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = openOn(d.restart(), Options{Clock: clock.Now}); err != nil {
		t.Fatal(err)
	}
	sameBooks(t, l)
	ledgertest.AssertConserved(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
