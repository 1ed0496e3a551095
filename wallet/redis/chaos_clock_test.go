package redis

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// jumping is a clock that is wrong.
type jumping struct{ by atomic.Int64 }

func (j *jumping) now() time.Time { return time.Now().Add(time.Duration(j.by.Load())) }

// Each instance has a clock of its own, and now and then one jumps, forward or back. The
// books' time never goes back, and ids stay known (invariant 3).
var clocks = &schedule{
	fault: "clocks that jump", times: 8, between: 100,
	begin: func(r *run) {
		r.server = redistest.Start(r)
		r.options.Addresses, r.options.Clock = []string{r.server.Addr()}, time.Now
		for range 3 {
			j := new(jumping)
			r.clocks = append(r.clocks, j)
			o := r.options
			o.Clock = j.now
			r.open(o)
		}
	},
	breaks: func(r *run) {
		by := time.Duration(r.random.Int64N(int64(75*time.Minute))) - 50*time.Minute
		r.clocks[r.random.IntN(len(r.clocks))].by.Store(int64(by))
	},
}

func TestChaosClocksThatJumpDoubleNothing(t *testing.T) { chaos(t, clocks) }

// An id that is so old that it is forgotten cannot become a second debit: hours later
// every charge that comes again is Stale, and nothing has moved (invariant 3).
func TestChaosALateRetryIsStale(t *testing.T) {
	j := new(jumping)
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Shards: 2, Clock: j.now}
	l := openOn(t, o, j.now)
	id := ledgertest.NewWallet(t, l, j.now, wallet.Unit)
	charges := chargeViews(t, l, id, 60, 1, time.Second)
	for _, later := range []time.Duration{wallet.ChargeMemory + time.Minute, 3 * time.Hour, 30 * time.Hour, 9 * 24 * time.Hour} {
		j.by.Store(int64(later))
		for _, c := range charges {
			if r, err := l.Charge(t.Context(), c); err != nil || r.Outcome != wallet.Stale {
				t.Fatalf("invariant 3: %v later a charge again answers %v, %v", later, r.Outcome, err)
			}
		}
	}
	if w, err := l.Wallet(t.Context(), id); err != nil || w.Available != wallet.Unit-60 {
		t.Errorf("invariant 3: the wallet has %s, %v", w.Available, err)
	}
	ledgertest.AssertConserved(t, l)
}
