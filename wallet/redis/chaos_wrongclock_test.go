package redis

import (
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// A Caddy whose clock is hours wrong chooses the wrong keys for what has overflowed: it
// may refuse, and must not take an id for a new one (invariant 3).
func TestChaosACaddyWhoseClockIsHoursWrongDoublesNothing(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}}
	l := openOn(t, o, time.Now)
	id := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
	charges := chargeViews(t, l, id, 60, 1, time.Second)
	time.Sleep(1100 * time.Millisecond) // the grants end, so that only the ids are left
	ledgertest.Fund(t, l, time.Now, id, 60)
	for _, off := range []time.Duration{-12 * time.Hour, -3 * time.Hour, -time.Hour, time.Hour / 2} {
		wrong := openOn(t, o, func() time.Time { return time.Now().Add(off) })
		for n, c := range charges {
			r, err := wrong.Charge(t.Context(), c)
			if err == nil && r.Outcome != wallet.Replayed && r.Outcome != wallet.Stale {
				t.Errorf("invariant 3: by a clock that is wrong by %v, charge %d again answers %v", off, n, r.Outcome)
				break
			}
		}
	}
	if w, err := l.Wallet(t.Context(), id); err != nil || w.Available != wallet.Unit {
		t.Errorf("invariant 3: the wallet has %s, %v", w.Available, err)
	}
	ledgertest.AssertConserved(t, l)
}
