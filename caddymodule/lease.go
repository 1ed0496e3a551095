package caddymodule

import (
	"fmt"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
)

// lease is the right to use the ledger, held by each request until it is
// settled.
type lease struct {
	*pooledLedger
	of *reference
}

// reference is one reference to the pooled ledger, and how many share it: the
// App from its Start to its Cleanup, and each lease. A lease so costs two
// counts, and not the pool's lock twice, which every site of the process would
// wait for.
type reference struct {
	key    string
	ledger *pooledLedger
	shares atomic.Int64 // zero: given back, for good
}

// lease lends the App's reference to a request. A request that Caddy serves
// before Start or after Cleanup, when the App has none, gets one of its own.
func (a *App) lease() (lease, error) {
	if shared := a.shared.Load(); shared != nil && shared.lend() {
		return lease{shared.ledger, shared}, nil
	}
	own, err := a.refer()
	if err != nil {
		return lease{}, err
	}
	return lease{own.ledger, own}, nil
}

// release ends the lease, which must not be used afterwards.
func (l lease) release() {
	if err := l.of.giveBack(); err != nil {
		caddy.Log().Named(appName).Error("closing the ledger: " + err.Error())
	}
}

// refer takes a reference to the pooled ledger, opening it if nobody has yet.
func (a *App) refer() (*reference, error) {
	r := &reference{key: a.store.StoreKey()}
	value, _, err := ledgers.LoadOrNew(r.key, func() (caddy.Destructor, error) {
		return openPooled(a.store)
	})
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	r.ledger = value.(*pooledLedger)
	r.shares.Store(1)
	return r, nil
}

// lend adds a share, and reports whether there was still one: a reference that
// has been given back may be to a ledger that is closed.
func (r *reference) lend() bool {
	for n := r.shares.Load(); n > 0; n = r.shares.Load() {
		if r.shares.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
}

// giveBack ends a share; the last one gives the reference back to the pool.
func (r *reference) giveBack() error {
	if r.shares.Add(-1) > 0 {
		return nil
	}
	_, err := ledgers.Delete(r.key)
	return err
}
