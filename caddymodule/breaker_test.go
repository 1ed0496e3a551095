package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func newBreaker() *breaker { return &breaker{log: slog.New(slog.DiscardHandler)} }

// Memory is bounded however many ask a disk that stands still.
func TestNoMoreThanTheLimitWaitForTheLedger(t *testing.T) {
	b := newBreaker()
	for i := range maxWaiting {
		if err := b.enter(); err != nil {
			t.Fatalf("question %d is refused: %v", i, err)
		}
	}
	for range 3 {
		if err := b.enter(); !errors.Is(err, wallet.ErrUnavailable) {
			t.Fatalf("one too many is answered %v", err)
		}
	}
	if n := b.turned.Load(); n != 3 {
		t.Errorf("%d are reported as refused, want 3", n)
	}
	b.leave()
	if err := b.enter(); err != nil {
		t.Errorf("with a place free: %v", err)
	}
}

func TestALateAnswerOpensTheBreakerAndAnAppliedOneClosesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker()
		late := fmt.Errorf("%w: %w", wallet.ErrUnavailable, context.DeadlineExceeded)
		b.late(wallet.ErrUnavailable)
		b.late(fmt.Errorf("%w: %w", wallet.ErrUnavailable, context.Canceled)) // the client has left
		if b.open() || b.try() != nil {
			t.Error("an error that is not about time opens it")
		}
		for range 3 {
			b.late(late)
			for range 5 {
				if err := b.try(); !errors.Is(err, wallet.ErrUnavailable) || !b.open() {
					t.Errorf("while it is open a change is answered %v", err)
				}
			}
			time.Sleep(retryEvery)
			if err := b.try(); err != nil {
				t.Errorf("the one that tries is answered %v", err)
			}
			if b.try() == nil {
				t.Error("two try at once")
			}
		}
		b.applied()
		if b.open() || b.try() != nil {
			t.Error("a change that took effect leaves it open")
		}
	})
}
