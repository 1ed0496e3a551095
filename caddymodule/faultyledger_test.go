package caddymodule

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func init() {
	caddy.RegisterModule(faultyModule{})
}

// faultyModule is the embedded ledger behind a line that fails when a test says
// so: ledger test_faulty.
type faultyModule struct{ LocalLedger }

func (faultyModule) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "paywall.ledgers.test_faulty", New: func() caddy.Module { return new(faultyModule) }}
}

func (m *faultyModule) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return m.LocalLedger.UnmarshalCaddyfile(d)
}

func (m *faultyModule) StoreKey() string { return "faulty:" + m.Dir }

func (m *faultyModule) OpenLedger(log *slog.Logger, existing bool) (wallet.Ledger, error) {
	if err := currentFault().unopenable; err != nil && existing {
		return nil, err
	}
	ledger, err := m.LocalLedger.OpenLedger(log, existing)
	return &faultyLedger{Ledger: ledger}, err
}

// fault is how the line fails: the names of operations whose question is lost,
// and of those whose answer is, so that they take effect all the same.
type fault struct {
	lost, unanswered string

	stops      bool  // and the ledger stops with it
	late       bool  // and there is nothing until its time is over
	expired    bool  // what was held is back before it is captured
	spent      bool  // and has been spent on something else
	unopenable error // why the ledger that has stopped cannot be opened again
}

var lineFault atomic.Pointer[fault]

// breakLine has the operation fail until the returned function is called.
func breakLine(t *testing.T, f fault) (mend func()) {
	lineFault.Store(&f)
	mend = func() { lineFault.Store(nil) }
	t.Cleanup(mend)
	return mend
}

func currentFault() fault {
	if f := lineFault.Load(); f != nil {
		return *f
	}
	return fault{}
}

type faultyLedger struct {
	wallet.Ledger
	stopped atomic.Bool
}

// through does an operation over the line.
func through[T any](ctx context.Context, l *faultyLedger, operation string, do func() (T, error)) (T, error) {
	var none T
	if l.stopped.Load() {
		return none, wallet.ErrStopped
	}
	switch f := currentFault(); operation {
	case f.lost:
		return none, l.fail(ctx, f)
	case f.unanswered:
		_, _ = do()
		return none, l.fail(ctx, f)
	}
	return do()
}

func (l *faultyLedger) fail(ctx context.Context, f fault) error {
	switch {
	case f.stops:
		l.stopped.Store(true)
		return wallet.ErrStopped
	case f.late:
		<-ctx.Done()
		return fmt.Errorf("%w: %w", wallet.ErrUnavailable, ctx.Err())
	}
	return wallet.ErrUnavailable
}

func (l *faultyLedger) Standing(ctx context.Context, q wallet.StandingQuery) (wallet.Standing, error) {
	return through(ctx, l, "standing", func() (wallet.Standing, error) { return l.Ledger.Standing(ctx, q) })
}

func (l *faultyLedger) Charge(ctx context.Context, c wallet.Charge) (wallet.Receipt, error) {
	return through(ctx, l, "charge", func() (wallet.Receipt, error) { return l.Ledger.Charge(ctx, c) })
}

func (l *faultyLedger) Settle(ctx context.Context, s wallet.Settlement) (wallet.Receipt, error) {
	return through(ctx, l, "settle", func() (wallet.Receipt, error) { return l.Ledger.Settle(ctx, s) })
}

func (l *faultyLedger) Hold(ctx context.Context, h wallet.Hold) (wallet.Receipt, error) {
	return through(ctx, l, "hold", func() (wallet.Receipt, error) { return l.Ledger.Hold(ctx, h) })
}

func (l *faultyLedger) Capture(ctx context.Context, c wallet.Capture) (wallet.Receipt, error) {
	if f := currentFault(); f.expired || f.spent {
		if err := l.expire(ctx, c, f.spent); err != nil {
			return wallet.Receipt{}, err
		}
	}
	return through(ctx, l, "capture", func() (wallet.Receipt, error) { return l.Ledger.Capture(ctx, c) })
}

// expire gives back what is to be captured, as its end would, and spends it on
// something else if spend says so.
func (l *faultyLedger) expire(ctx context.Context, c wallet.Capture, spend bool) error {
	id := c.ID.Derive([]byte("expire"))
	if back, err := l.Ledger.Release(ctx, wallet.Release{ID: id, Wallet: c.Wallet, Hold: c.Hold}); err != nil || !back.Outcome.Done() || !spend {
		return err
	}
	_, err := l.Ledger.Charge(ctx, wallet.Charge{
		ID: id.Derive(nil), Wallet: c.Wallet, Generation: 1, Rule: "elsewhere", Resource: "elsewhere/", Price: c.Amount, Window: time.Hour,
	})
	return err
}

func (l *faultyLedger) Release(ctx context.Context, r wallet.Release) (wallet.Receipt, error) {
	return through(ctx, l, "release", func() (wallet.Receipt, error) { return l.Ledger.Release(ctx, r) })
}

func (l *faultyLedger) Redeem(ctx context.Context, r wallet.Redeem) (wallet.Receipt, error) {
	return through(ctx, l, "redeem", func() (wallet.Receipt, error) { return l.Ledger.Redeem(ctx, r) })
}
