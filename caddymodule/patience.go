package caddymodule

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	// settleTimeout bounds how long an answer waits for the ledger. It does
	// not end with the request: a client that leaves must not leave a charge
	// half asked for.
	settleTimeout = 5 * time.Second

	// settleShare is how much longer it may be: the settlements that begin
	// within this time share one timer.
	settleShare = time.Second
)

// patience gives the contexts of settlements. Such a context is not the
// request's, which ends when the client leaves, and not the configuration's,
// which ends with a reload. One serves all settlements of a second: with one
// for each, its timer and its five allocations were a tenth of what a charge
// costs. It is safe for concurrent use.
type patience struct{ shared atomic.Pointer[sharedContext] }

type sharedContext struct {
	context.Context
	begun time.Time
}

// context ends between settleTimeout and settleShare more after now.
func (p *patience) context(now time.Time) context.Context {
	if s := p.shared.Load(); s != nil && now.Sub(s.begun) < settleShare {
		return s.Context
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout+settleShare)
	context.AfterFunc(ctx, cancel)
	p.shared.Store(&sharedContext{ctx, now})
	return ctx
}
