package scale

import (
	"sync/atomic"
	"time"
)

// clock is a ledger's clock that stands still until it is set, or runs with the
// system's ahead of it.
type clock struct {
	milliseconds atomic.Int64
	ahead        atomic.Int64 // of the system's clock; zero: it stands still
}

func newClock(at time.Time) *clock {
	c := new(clock)
	c.milliseconds.Store(at.UnixMilli())
	return c
}

// Now is for local.Options.
func (c *clock) Now() time.Time {
	if ahead := c.ahead.Load(); ahead != 0 {
		return time.Now().Add(time.Duration(ahead))
	}
	return time.UnixMilli(c.milliseconds.Load())
}

// set lets the clock stand at a time, unless it is past that already.
func (c *clock) set(at time.Time) {
	for {
		now := c.milliseconds.Load()
		if now >= at.UnixMilli() || c.milliseconds.CompareAndSwap(now, at.UnixMilli()) {
			return
		}
	}
}

// run lets the clock go on from where it stands.
func (c *clock) run() { c.ahead.Store(int64(time.Until(c.Now()))) }
