package caddymodule

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/local"
)

func init() {
	caddy.RegisterModule(LocalLedger{})
}

// LocalLedger is the embedded durable ledger: the default, with nothing to
// install. One process at a time may hold its directory. Every charge is on
// disk before the page leaves.
type LocalLedger struct {
	// The directory of the journal. Placeholders are expanded. Default:
	// paywall/ledger in Caddy's data directory.
	Dir string `json:"dir,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (LocalLedger) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "paywall.ledgers.local", New: func() caddy.Module { return new(LocalLedger) }}
}

// Provision settles which directory is meant.
func (l *LocalLedger) Provision(caddy.Context) error {
	if l.Dir == "" {
		l.Dir = dataPath("ledger")
		return nil
	}
	dir, err := caddy.NewReplacer().ReplaceOrErr(l.Dir, true, true)
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	l.Dir, err = filepath.Abs(dir)
	return err
}

// StoreKey implements LedgerModule.
func (l *LocalLedger) StoreKey() string { return "local:" + l.Dir }

// OpenLedger implements LedgerModule.
func (l *LocalLedger) OpenLedger(log *slog.Logger, existing bool) (wallet.Ledger, error) {
	if existing {
		if err := local.Find(l.Dir); err != nil {
			return nil, err
		}
	}
	ledger, err := local.Open(local.Options{Dir: l.Dir, Log: log})
	if errors.Is(err, wallet.ErrInUse) {
		return nil, fmt.Errorf("%w: in the global option: paywall { ledger local <dir> }", err)
	}
	if err != nil {
		return nil, err
	}
	return ledger, nil
}

// OpenLedgerAt implements LedgerImporter.
func (l *LocalLedger) OpenLedgerAt(log *slog.Logger, clock func() time.Time) (wallet.Ledger, error) {
	ledger, err := local.Open(local.Options{Dir: l.Dir, Log: log, Clock: clock, SyncAtClose: true})
	if err != nil {
		return nil, err
	}
	return ledger, nil
}

// UnmarshalCaddyfile sets up the ledger from Caddyfile tokens:
//
//	ledger local [<dir>]
func (l *LocalLedger) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the engine's name
	if d.NextArg() {
		l.Dir = d.Val()
	}
	if d.NextArg() {
		return d.Errf("ledger local takes at most one directory; remove %q", d.Val())
	}
	if d.NextBlock(d.Nesting()) {
		return d.Errf("ledger local has no options; remove %q and its block", d.Val())
	}
	return nil
}

// Interface guards
var (
	_ LedgerModule          = (*LocalLedger)(nil)
	_ LedgerImporter        = (*LocalLedger)(nil)
	_ caddy.Provisioner     = (*LocalLedger)(nil)
	_ caddyfile.Unmarshaler = (*LocalLedger)(nil)
)
