package redis

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// caddy is one of the instances that share the books, and whether it answers.
type caddy struct {
	wallet.Ledger
	ledger     *Ledger
	lastAnswer time.Duration // since the run began
}

// withinBound is how long one operation may take until it is answered or refused: it may
// wait for a flight that is given up and then fly itself, and each gives up when its
// patience is over and the last try has timed out.
const withinBound = 2*(chaosPatience+2*chaosTimeout) + 2*time.Second

// open opens one more instance. On a machine that is busy the first look at the servers
// may take longer than an impatient ledger waits.
func (r *run) open(o Options) *caddy {
	r.Helper()
	var l *Ledger
	var err error
	for deadline := time.Now().Add(10 * time.Second); ; {
		if l, err = Open(o); err == nil {
			break
		}
		if time.Now().After(deadline) {
			r.Fatalf("opening a ledger: %v", err)
		}
	}
	r.Cleanup(func() { l.Close() })
	c := &caddy{Ledger: l, ledger: l, lastAnswer: r.since()}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.caddies = append(r.caddies, c)
	return c
}

// openAt opens an instance at each address of one and the same server.
func (r *run) openAt(addresses ...string) {
	r.Helper()
	for _, address := range addresses {
		o := r.options
		o.Addresses = []string{address}
		r.open(o)
	}
}

// abandon is what a kill does to an instance in this process: everything it has under
// way ends where it is, and nothing is tidied up.
func (r *run) abandon(c *caddy) {
	r.mu.Lock()
	for i := range r.caddies {
		if r.caddies[i] == c {
			r.caddies = append(r.caddies[:i:i], r.caddies[i+1:]...)
			break
		}
	}
	r.mu.Unlock()
	c.ledger.end()
	c.ledger.servers.close()
}

// all are the instances that are there.
func (r *run) all() []*caddy {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*caddy(nil), r.caddies...)
}

// call asks an instance, and measures for how long it answers nobody (invariant 6: an
// operation is answered, or refused within a bounded time and asked for again).
func (r *run) call(ctx context.Context, c *caddy, op any) (s said, err error) {
	telling := r.tell != nil && idOf(op) != wallet.OpID{}
	if telling {
		r.tell(op, nil)
	}
	called := r.since()
	s, err = carry(ctx, c.Ledger, op)
	returned := r.since()
	if telling && err == nil {
		r.tell(op, &s.receipt)
	}
	if err == nil {
		r.answers.Add(1)
	} else if ctx.Err() == nil {
		r.refusals.Add(1)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.slowest = max(r.result.slowest, returned-called)
	if err == nil {
		if !r.ended.Load() {
			r.result.unanswered = max(r.result.unanswered, returned-c.lastAnswer, returned-r.lastAnswer)
		}
		c.lastAnswer, r.lastAnswer = returned, returned
	}
	switch {
	case errors.Is(err, wallet.ErrNotFound) && r.schedule != nil && r.schedule.loses:
		// The wallet's creation is lost too, and whoever has to carry it out again has not.
	case err != nil && !errors.Is(err, wallet.ErrUnavailable):
		r.Errorf("%T answers %v", op, err)
	case returned-called > withinBound:
		r.Errorf("%T was neither answered nor refused within %v, but after %v: %v", op, withinBound, returned-called, err)
	}
	return s, err
}

// recovers waits until every instance answers for every wallet, without being opened
// again.
func (r *run) recovers() {
	r.Helper()
	for _, c := range r.all() {
		for _, id := range r.wallets {
			r.eventually("an instance answers again", func() bool {
				_, err := r.call(context.Background(), c, id)
				return err == nil
			})
		}
	}
}
