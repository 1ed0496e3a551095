package caddymodule

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

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

func (m *faultyModule) OpenLedger(log *slog.Logger) (wallet.Ledger, error) {
	ledger, err := m.LocalLedger.OpenLedger(log)
	return faultyLedger{ledger}, err
}

// fault is how the line fails: the names of operations whose question is lost,
// and of those whose answer is, so that they take effect all the same.
type fault struct{ lost, unanswered string }

var lineFault atomic.Pointer[fault]

// breakLine has the operation fail until the returned function is called.
func breakLine(t *testing.T, f fault) (mend func()) {
	lineFault.Store(&f)
	mend = func() { lineFault.Store(nil) }
	t.Cleanup(mend)
	return mend
}

type faultyLedger struct{ wallet.Ledger }

// through does an operation over the line.
func through[T any](operation string, do func() (T, error)) (T, error) {
	var none T
	f := lineFault.Load()
	if f == nil {
		f = new(fault)
	}
	if f.lost == operation {
		return none, wallet.ErrUnavailable
	}
	answer, err := do()
	if f.unanswered == operation {
		return none, wallet.ErrUnavailable
	}
	return answer, err
}

func (l faultyLedger) Standing(ctx context.Context, q wallet.StandingQuery) (wallet.Standing, error) {
	return through("standing", func() (wallet.Standing, error) { return l.Ledger.Standing(ctx, q) })
}

func (l faultyLedger) Charge(ctx context.Context, c wallet.Charge) (wallet.Receipt, error) {
	return through("charge", func() (wallet.Receipt, error) { return l.Ledger.Charge(ctx, c) })
}

func (l faultyLedger) Settle(ctx context.Context, s wallet.Settlement) (wallet.Receipt, error) {
	return through("settle", func() (wallet.Receipt, error) { return l.Ledger.Settle(ctx, s) })
}

func (l faultyLedger) Hold(ctx context.Context, h wallet.Hold) (wallet.Receipt, error) {
	return through("hold", func() (wallet.Receipt, error) { return l.Ledger.Hold(ctx, h) })
}

func (l faultyLedger) Capture(ctx context.Context, c wallet.Capture) (wallet.Receipt, error) {
	return through("capture", func() (wallet.Receipt, error) { return l.Ledger.Capture(ctx, c) })
}

func (l faultyLedger) Release(ctx context.Context, r wallet.Release) (wallet.Receipt, error) {
	return through("release", func() (wallet.Receipt, error) { return l.Ledger.Release(ctx, r) })
}

func (l faultyLedger) Redeem(ctx context.Context, r wallet.Redeem) (wallet.Receipt, error) {
	return through("redeem", func() (wallet.Receipt, error) { return l.Ledger.Redeem(ctx, r) })
}
