package caddymodule

import (
	"context"
	"log/slog"
	"time"

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

	// OpenLedger opens the store. The ledger and the module must not depend on
	// the configuration that they come from: they serve its successors too.
	// Errors say what an operator can do.
	//
	// A ledger that answers wallet.ErrStopped has told the log why. It is closed
	// and opened again until that works, with existing set: then a store that is
	// empty is an error too, because whoever sees money in it a minute ago has
	// lost it, and a new one in its place would hide that. A ledger with a method
	// Intact() error is asked from time to time, and an error of it is as
	// ErrStopped.
	//
	// A ledger whose store comes back by itself answers wallet.ErrUnavailable
	// until then. It has a method Up() bool, which says whether it can be asked, and
	// has told the log why not.
	OpenLedger(log *slog.Logger, existing bool) (wallet.Ledger, error)
}

// LedgerAdviser is what a LedgerModule implements besides whose store is not on a
// disk of this machine.
type LedgerAdviser interface {
	// Advice is what an operator looks at where the ledger is slow, such as "the
	// health of Redis".
	Advice() string
}

// adviceOn is what an operator looks at where a store is slow.
func adviceOn(store LedgerModule) string {
	if adviser, ok := store.(LedgerAdviser); ok {
		return adviser.Advice()
	}
	return "the health and the load of its disk"
}

// LedgerImporter is what a LedgerModule implements besides whose store can take
// the history of another one. Its ledgers are then each a history.Source too, so
// that money which was moved in can be moved out.
type LedgerImporter interface {
	// OpenLedgerAt opens the store for an import: a ledger that takes the time
	// from clock alone, which stands at the time of each operation. Nobody else
	// has the store open meanwhile, and nothing need be durable before Close.
	OpenLedgerAt(log *slog.Logger, clock func() time.Time) (wallet.Ledger, error)
}

// ledgers holds the open ledgers by store key. It is global because it must
// outlive a configuration: Caddy starts the new one before it stops the old,
// and requests of the old one are served after that.
var ledgers = caddy.NewUsagePool()

// noStack is a level above all others: what an operator is to read says what to
// do, and where in the code it was said does not help with that.
const noStack = slog.LevelError + 1

// currentLog writes to whatever Caddy's log is at that moment: a pooled ledger
// that kept the logger of the configuration that opened it would write to a
// closed one after a reload.
type currentLog struct{}

func (currentLog) handler() slog.Handler {
	return zapslog.NewHandler(caddy.Log().Core(), zapslog.WithName(appName+".ledger"), zapslog.AddStacktraceAt(noStack))
}

func (h currentLog) Enabled(ctx context.Context, level slog.Level) bool {
	return h.handler().Enabled(ctx, level)
}

func (h currentLog) Handle(ctx context.Context, record slog.Record) error {
	return h.handler().Handle(ctx, record)
}

func (h currentLog) WithAttrs(attrs []slog.Attr) slog.Handler { return h.handler().WithAttrs(attrs) }
func (h currentLog) WithGroup(name string) slog.Handler       { return h.handler().WithGroup(name) }

// Interface guard
var _ slog.Handler = currentLog{}
