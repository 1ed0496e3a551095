package caddymodule

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func init() {
	caddy.RegisterModule(new(App))
}

const (
	appName = "paywall"

	defaultCurrency      = "USD"
	defaultLedger        = `{"engine":"local"}`
	defaultTokenLifetime = caddy.Duration(180 * 24 * time.Hour)
	minTokenLifetime     = caddy.Duration(time.Hour)
	maxTokenLifetime     = caddy.Duration(400 * 24 * time.Hour) // as long as browsers keep a cookie
)

// App is what all prices of a configuration share: the currency, the ledger
// and the keys. Every field is optional; an App without any keeps US dollars in
// an embedded ledger in Caddy's data directory.
type App struct {
	// The one currency of this paywall, an ISO 4217 code in upper case.
	// Default: USD.
	Currency string `json:"currency,omitempty"`

	// The ledger that keeps the money. Default: the module "local".
	LedgerRaw json.RawMessage `json:"ledger,omitempty" caddy:"namespace=paywall.ledgers inline_key=engine"`

	// The key that vouchers, recovery codes and quotes are made under: at
	// least 32 random bytes in base64 or hex. Placeholders such as {env.*} and
	// {file.*} are expanded; never write the key itself here. Vouchers and
	// recovery codes are worthless under any other key. Default: generated
	// once and kept in Caddy's data directory.
	Secret string `json:"secret,omitempty"`

	// The keys that wallet tokens are signed with, as Ed25519 seeds in base64
	// or private keys in PKCS#8 PEM. The first signs; the others still verify,
	// for rotation. Placeholders are expanded. Default: generated, rotated
	// every 90 days, and kept in Caddy's data directory.
	SigningKeys []string `json:"signing_keys,omitempty"`

	// How long a wallet's token and cookie last, from one hour to 400 days.
	// Default: 180 days. The recovery code opens the wallet after that.
	TokenLifetime caddy.Duration `json:"token_lifetime,omitempty"`

	// How many requests without payment one address may send. Default: 1200 a
	// minute.
	UnpaidLimit UnpaidLimit `json:"unpaid_limit,omitzero"`

	// What kiosks sell for the tap of a card. Default: there are none.
	Kiosks *Kiosks `json:"kiosks,omitempty"`

	currency wallet.Currency
	store    LedgerModule
	given    givenKeys
	logger   *zap.Logger
	now      func() time.Time
	random   io.Reader
	csrf     *http.CrossOriginProtection
	limits   *limits
	rules    ruleList
	patience patience
	open     func() (*keys, error) // what is opened at the first use, once

	shared atomic.Pointer[reference] // from Start to Cleanup
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: appName, New: func() caddy.Module { return new(App) }}
}

// Provision sets the app up. It touches no file and no network, because it
// also runs for caddy validate, beside a server that holds the ledger.
func (a *App) Provision(ctx caddy.Context) (err error) {
	a.logger = ctx.Logger()
	a.now, a.random = time.Now, rand.Reader
	a.csrf = http.NewCrossOriginProtection()
	if err := a.UnpaidLimit.settle(); err != nil {
		return fmt.Errorf("paywall: %w", err)
	}
	a.limits = newLimits(a.UnpaidLimit, a.now())
	a.open = sync.OnceValues(a.openKeys)
	if err := registerMetrics(ctx.GetMetricsRegistry()); err != nil {
		return fmt.Errorf("paywall: metrics: %w", err)
	}
	if a.Currency == "" {
		a.Currency = defaultCurrency
	}
	if a.currency, err = wallet.ParseCurrency(a.Currency); err != nil {
		return fmt.Errorf("paywall: currency: %w", err)
	}
	if a.Kiosks != nil {
		if err := a.Kiosks.provision(); err != nil {
			return fmt.Errorf("paywall: kiosks: %w", err)
		}
	}
	if a.TokenLifetime == 0 {
		a.TokenLifetime = defaultTokenLifetime
	}
	if a.given, err = resolveKeys(a.Secret, a.SigningKeys); err != nil {
		return fmt.Errorf("paywall: %w", err)
	}
	if a.LedgerRaw == nil {
		a.LedgerRaw = json.RawMessage(defaultLedger)
	}
	module, err := ctx.LoadModule(a, "LedgerRaw")
	if err != nil {
		return fmt.Errorf("paywall: ledger: %w", err)
	}
	a.store = module.(LedgerModule)
	return nil
}

// Validate refuses what would fail later.
func (a *App) Validate() error {
	if a.TokenLifetime < minTokenLifetime || a.TokenLifetime > maxTokenLifetime {
		return fmt.Errorf("paywall: token_lifetime %v must be between %v and %v",
			time.Duration(a.TokenLifetime), time.Duration(minTokenLifetime), time.Duration(maxTokenLifetime))
	}
	return nil
}

// Start opens the ledger and the keys, so that a paywall that cannot take money
// does not start.
func (a *App) Start() error {
	if _, err := a.open(); err != nil {
		return fmt.Errorf("paywall: %w", err)
	}
	shared, err := a.refer()
	if err != nil {
		return fmt.Errorf("paywall: %w", err)
	}
	a.shared.Store(shared)
	a.checkOpens()
	return nil
}

// Stop does nothing: requests of this configuration may still be on their way,
// and each holds the ledger open until it is settled.
func (a *App) Stop() error { return nil }

// Cleanup ends the App's share of the ledger, which is given back with the last
// request's. It runs after a failed Provision too, and must then give back
// nothing: releasing a reference that another configuration holds would close
// the ledger under it.
func (a *App) Cleanup() error {
	if shared := a.shared.Swap(nil); shared != nil {
		return shared.giveBack()
	}
	return nil
}

// Interface guards
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.Validator    = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
