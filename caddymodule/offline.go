package caddymodule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// offlineLedger is the ledger of a configuration, while Caddy is stopped. Nothing
// else of the configuration is looked at: whoever moves a ledger needs neither the
// paywall's keys nor the certificates.
type offlineLedger struct {
	Currency  string          `json:"currency"`
	LedgerRaw json.RawMessage `json:"ledger" caddy:"namespace=paywall.ledgers inline_key=engine"`

	currency wallet.Currency
	store    LedgerModule
	done     context.CancelFunc
}

// loadOffline reads a configuration file, or the Caddyfile that lies here where
// the name is empty. done must be called when the ledger is done with.
func loadOffline(file, adapter string) (*offlineLedger, error) {
	config, file, _, err := caddycmd.LoadConfig(file, adapter)
	if err != nil {
		return nil, err
	}
	if len(config) == 0 {
		return nil, errors.New("there is no Caddyfile here; name the configuration with --config")
	}
	l, err := offlineOf(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return l, nil
}

func offlineOf(config []byte) (*offlineLedger, error) {
	var tree struct {
		Apps map[string]json.RawMessage `json:"apps"`
	}
	if err := json.Unmarshal(config, &tree); err != nil {
		return nil, err
	}
	l := &offlineLedger{Currency: defaultCurrency, LedgerRaw: json.RawMessage(defaultLedger)}
	if raw, named := tree.Apps[appName]; named {
		if err := json.Unmarshal(raw, l); err != nil {
			return nil, err
		}
	} else if !hasHandler(tree.Apps["http"]) {
		return nil, errors.New("this configuration has no paywall")
	}
	var err error
	if l.currency, err = wallet.ParseCurrency(l.Currency); err != nil {
		return nil, fmt.Errorf("currency: %w", err)
	}
	ctx, done := caddy.NewContext(caddy.Context{Context: context.Background()})
	module, err := ctx.LoadModule(l, "LedgerRaw")
	if err != nil {
		done()
		return nil, fmt.Errorf("ledger: %w", err)
	}
	l.store, l.done = module.(LedgerModule), done
	return l, nil
}

// hasHandler reports whether the paywall's handler is somewhere in a part of a
// configuration: then it has a paywall, if only with defaults.
func hasHandler(part json.RawMessage) bool {
	var tree any
	return json.Unmarshal(part, &tree) == nil && holdsHandler(tree)
}

func holdsHandler(tree any) bool {
	switch node := tree.(type) {
	case map[string]any:
		if node["handler"] == appName {
			return true
		}
		for _, child := range node {
			if holdsHandler(child) {
				return true
			}
		}
	case []any:
		for _, child := range node {
			if holdsHandler(child) {
				return true
			}
		}
	}
	return false
}
