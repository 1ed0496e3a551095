package caddymodule

import (
	"context"
	"log/slog"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap/exp/zapslog"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// LedgerModule is what a module of the namespace paywall.ledgers implements: a
// store of money, configured but not yet open.
type LedgerModule interface {
	// StoreKey names the store. Configurations whose ledgers have equal keys
	// share one open ledger, which so outlives a reload. It holds no secret.
	StoreKey() string

	// OpenLedger opens the store. The ledger must not depend on the
	// configuration that opened it: it serves its successors too.
	OpenLedger(log *slog.Logger) (wallet.Ledger, error)
}

// ledgers holds the open ledgers by store key. It is global because it must
// outlive a configuration: Caddy starts the new one before it stops the old,
// and requests of the old one are served after that.
var ledgers = caddy.NewUsagePool()

// pooledLedger closes its ledger when the last lease is given back.
type pooledLedger struct{ wallet.Ledger }

func (p *pooledLedger) Destruct() error { return p.Close() }

// currentLog writes to whatever Caddy's log is at that moment: a pooled ledger
// that kept the logger of the configuration that opened it would write to a
// closed one after a reload.
type currentLog struct{}

func (currentLog) handler() slog.Handler {
	return zapslog.NewHandler(caddy.Log().Named(appName + ".ledger").Core())
}

func (h currentLog) Enabled(ctx context.Context, level slog.Level) bool {
	return h.handler().Enabled(ctx, level)
}

func (h currentLog) Handle(ctx context.Context, record slog.Record) error {
	return h.handler().Handle(ctx, record)
}

func (h currentLog) WithAttrs(attrs []slog.Attr) slog.Handler { return h.handler().WithAttrs(attrs) }
func (h currentLog) WithGroup(name string) slog.Handler       { return h.handler().WithGroup(name) }

// Interface guards
var (
	_ caddy.Destructor = (*pooledLedger)(nil)
	_ slog.Handler     = currentLog{}
)
