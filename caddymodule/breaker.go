package caddymodule

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// breaker keeps requests from piling up before a ledger that does not answer.
// A question that has waited for its whole time opens it: then every change is
// refused at once, but for one in a second that tries whether the ledger
// answers again; the first that takes effect closes it. Until then, and of
// look-ups, only so many wait at once. It takes no lock and allocates nothing.
type breaker struct {
	log     *slog.Logger
	advice  string       // what an operator looks at where the ledger is slow
	waiting atomic.Int64 // questions that have no answer yet
	turned  atomic.Int64 // questions refused because too many wait, since the last report
	retryAt atomic.Int64 // when the next change may try, in nanoseconds since began; zero: closed
}

const (
	// maxWaiting bounds the requests that wait for a ledger at once: with all
	// that belongs to them about 200 MB. A ledger that is well answers more than
	// that in the time of one sync of a slow disk.
	maxWaiting = 8192

	// retryEvery is the time between two changes that try whether the ledger
	// answers again.
	retryEvery = time.Second
)

// began is what the breaker's times are counted from: a clock that somebody sets
// must not close it for a year.
var began = time.Now()

var (
	errTooMany error = downError{errors.New("too many requests wait for it")}
	errSlow    error = downError{errors.New("it does not answer in time")}
)

// enter admits a question, which must leave.
func (b *breaker) enter() error {
	if b.waiting.Add(1) > maxWaiting {
		b.waiting.Add(-1)
		b.turned.Add(1)
		return errTooMany
	}
	return nil
}

// leave ends a question.
func (b *breaker) leave() { b.waiting.Add(-1) }

// try reports whether a change may be asked for: always while the breaker is
// closed, and else one in a while.
func (b *breaker) try() error {
	at := b.retryAt.Load()
	if at == 0 {
		return nil
	}
	now := time.Since(began)
	if int64(now) < at || !b.retryAt.CompareAndSwap(at, int64(now+retryEvery)) {
		return errSlow
	}
	return nil
}

// late opens the breaker where an answer came too late.
func (b *breaker) late(err error) {
	if errors.Is(err, context.DeadlineExceeded) && b.retryAt.Swap(int64(time.Since(began)+retryEvery)) == 0 {
		b.log.Error("the ledger does not answer in time; look at "+b.advice+": the paywall answers 503 and tries again by itself", "error", err)
	}
}

// applied closes the breaker. No other answer does: one that changed nothing may
// have come from memory, and says nothing about the store.
func (b *breaker) applied() {
	if b.retryAt.Load() != 0 && b.retryAt.Swap(0) != 0 {
		b.log.Info("the ledger answers in time again")
	}
}

// open reports whether changes are refused.
func (b *breaker) open() bool { return b.retryAt.Load() != 0 }

// reset closes the breaker for a ledger that has just been opened.
func (b *breaker) reset() { b.retryAt.Store(0) }

// report tells the log how many questions were refused because too many wait.
func (b *breaker) report() {
	if n := b.turned.Swap(0); n > 0 {
		b.log.Error("requests refused: too many wait for the ledger; look at "+b.advice,
			"refused", n, "limit", maxWaiting)
	}
}
