package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// instantLedger answers at once and from nothing, so that what stands before it
// can be measured.
type instantLedger struct{ wallet.Ledger }

func (instantLedger) Standing(context.Context, wallet.StandingQuery) (wallet.Standing, error) {
	return wallet.Standing{}, nil
}

func (instantLedger) Charge(context.Context, wallet.Charge) (wallet.Receipt, error) {
	return wallet.Receipt{Outcome: wallet.Applied}, nil
}

func (instantLedger) Close() error { return nil }

// scriptedStore opens what a test says.
type scriptedStore struct {
	open func(existing bool) (wallet.Ledger, error)
}

func (scriptedStore) StoreKey() string { return "scripted" }

func (s scriptedStore) OpenLedger(_ *slog.Logger, existing bool) (wallet.Ledger, error) {
	return s.open(existing)
}

func newPooled(t testing.TB, open func(existing bool) (wallet.Ledger, error)) *pooledLedger {
	t.Helper()
	p, err := openPooled(scriptedStore{open})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*pooledLedger)
}

func instant(bool) (wallet.Ledger, error) { return instantLedger{}, nil }

func TestWhatStandsBeforeTheLedgerAllocatesNothing(t *testing.T) {
	p := newPooled(t, instant)
	defer p.Destruct()
	if n := testing.AllocsPerRun(1000, func() {
		_, _ = p.Standing(t.Context(), wallet.StandingQuery{})
		_, _ = p.Charge(t.Context(), wallet.Charge{})
	}); n != 0 {
		t.Errorf("two questions allocate %v times", n)
	}
}

// A store that another process has for a moment is waited for, and no longer.
func TestTheFirstOpeningWaitsForAHandover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, tries := time.Now(), 0
		_, err := openPooled(scriptedStore{func(bool) (wallet.Ledger, error) {
			tries++
			return nil, fmt.Errorf("%w: here", wallet.ErrInUse)
		}})
		if took := time.Since(began); !errors.Is(err, wallet.ErrInUse) || took < handover || took > 2*handover || tries < 10 {
			t.Errorf("after %d tries and %v: %v", tries, took, err)
		}
		p := newPooled(t, func(bool) (wallet.Ledger, error) {
			if tries--; tries > 0 {
				return nil, wallet.ErrInUse
			}
			return instantLedger{}, nil
		})
		if err := p.Destruct(); err != nil {
			t.Error(err)
		}
		_, err = openPooled(scriptedStore{func(bool) (wallet.Ledger, error) { return nil, wallet.ErrCorrupt }})
		if !errors.Is(err, wallet.ErrCorrupt) {
			t.Errorf("a corrupt store is answered with %v", err)
		}
	})
}

// A disk that has been full for an hour is not asked ten times a second, and one
// that was full for a moment is asked soon.
func TestTheReopeningHasGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries []time.Duration
		var began time.Time
		p := newPooled(t, func(existing bool) (wallet.Ledger, error) {
			if !existing {
				return instantLedger{}, nil
			}
			tries = append(tries, time.Since(began))
			if len(tries) == 10 {
				return instantLedger{}, nil
			}
			return nil, errors.New("no room")
		})
		began = time.Now()
		p.stop(p.engine.Load(), errors.New("the test's"))
		if p.up() {
			t.Error("a stopped ledger is up")
		}
		if _, err := p.Standing(t.Context(), wallet.StandingQuery{}); !errors.Is(err, wallet.ErrUnavailable) || !strings.Contains(err.Error(), "the test's") {
			t.Errorf("it answers %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		pause, at := firstPause, time.Duration(0)
		for i, tried := range tries {
			if at += pause; tried != at {
				t.Errorf("try %d is after %v, want %v", i, tried, at)
			}
			pause = min(2*pause, maxPause)
		}
		if _, err := p.Standing(t.Context(), wallet.StandingQuery{}); err != nil || !p.up() || len(tries) != 10 {
			t.Errorf("after %d tries it answers %v", len(tries), err)
		}
		if err := p.Destruct(); err != nil {
			t.Error(err)
		}
	})
}

// Many requests that all see the ledger stop open it again once.
func TestAStopThatManyNoticeIsOneReopening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := 0
		p := newPooled(t, func(bool) (wallet.Ledger, error) {
			opened++
			return instantLedger{}, nil
		})
		e := p.engine.Load()
		var requests sync.WaitGroup
		for range 100 {
			requests.Go(func() { p.stop(e, wallet.ErrStopped) })
		}
		requests.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if opened != 2 || !p.up() {
			t.Errorf("it was opened %d times, and up is %t", opened, p.up())
		}
		p.stop(e, wallet.ErrStopped) // the last of them, late
		if !p.up() {
			t.Error("an old engine's stop takes the new one out")
		}
		if err := p.Destruct(); err != nil {
			t.Error(err)
		}
	})
}

// stuckLedger closes when its disk moves again.
type stuckLedger struct {
	instantLedger
	disk chan struct{}
}

func (l stuckLedger) Close() error { <-l.disk; return nil }

// A disk that stands still must not hold up the last request or a reload.
func TestALedgerThatDoesNotCloseIsNotWaitedForForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := stuckLedger{disk: make(chan struct{})}
		p := newPooled(t, func(bool) (wallet.Ledger, error) { return stuck, nil })
		began := time.Now()
		if err := p.Destruct(); err == nil || !strings.Contains(err.Error(), "its disk") {
			t.Errorf("closing it is answered %v", err)
		}
		if took := time.Since(began); took != closeTimeout {
			t.Errorf("it was waited for %v, want %v", took, closeTimeout)
		}
		close(stuck.disk)
	})
}

// What a question pays for that the ledger can come back by itself.
func BenchmarkQuestion(b *testing.B) {
	p := newPooled(b, instant)
	defer p.Destruct()
	for name, ledger := range map[string]wallet.Ledger{"direct": instantLedger{}, "pooled": p} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = ledger.Charge(b.Context(), wallet.Charge{})
				}
			})
		})
	}
}
