package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// healingLedger is one that comes back by itself, as that on Redis does.
type healingLedger struct {
	instantLedger
	down atomic.Bool
}

var errUnreachable = fmt.Errorf("%w: nobody answers", wallet.ErrUnavailable)

func (l *healingLedger) Up() bool { return !l.down.Load() }

func (l *healingLedger) Charge(context.Context, wallet.Charge) (r wallet.Receipt, err error) {
	if l.down.Load() {
		return r, errUnreachable
	}
	return wallet.Receipt{Outcome: wallet.Applied}, nil
}

// Such a ledger is neither closed nor opened again, and what it has told the log is
// not told again by every request.
func TestALedgerThatComesBackByItselfIsLeftToItself(t *testing.T) {
	healing, opened := new(healingLedger), 0
	p := newPooled(t, func(bool) (wallet.Ledger, error) {
		opened++
		return healing, nil
	})
	defer p.Destruct()
	for range 2 {
		healing.down.Store(true)
		if p.up() {
			t.Error("it is up")
		}
		for range 3 {
			if _, err := p.Charge(t.Context(), wallet.Charge{}); !errors.Is(err, wallet.ErrUnavailable) || !isLogged(err) || !strings.Contains(err.Error(), "nobody answers") {
				t.Errorf("while it is down it answers %v", err)
			}
		}
		healing.down.Store(false)
		if _, err := p.Charge(t.Context(), wallet.Charge{}); err != nil || !p.up() {
			t.Errorf("it is back, and answers %v", err)
		}
	}
	if opened != 1 {
		t.Errorf("it was opened %d times", opened)
	}
}

// An error that the engine has not told the log, because all is well with it, is
// told.
func TestAnErrorOfALedgerThatIsUpIsLogged(t *testing.T) {
	if isLogged(errUnreachable) {
		t.Error("it is taken for told")
	}
}

// What an operator is told to look at is what the ledger is on.
func TestAnOperatorIsToldToLookAtRedisAndNotAtADisk(t *testing.T) {
	for store, want := range map[LedgerModule]string{
		new(LocalLedger): "the health and the load of its disk", new(RedisLedger): "the health and the load of Redis, its disk and the network",
	} {
		if got := adviceOn(store); got != want {
			t.Errorf("of %T it says %q", store, got)
		}
	}
}
