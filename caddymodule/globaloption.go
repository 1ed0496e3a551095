package caddymodule

import (
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func init() {
	httpcaddyfile.RegisterGlobalOption(appName, parseGlobalOption)
}

// parseGlobalOption reads the global option paywall:
//
//	paywall {
//	    currency       <ISO 4217 code>
//	    ledger         local [<dir>] | redis { … }
//	    secret         <key>
//	    signing_keys   <key>...
//	    token_lifetime <duration>
//	    unpaid_limit   <requests> <period> | off
//	    kiosks         { … }
//	}
//
// Every line is optional, and so is the whole. For the block of ledger redis see
// RedisLedger.UnmarshalCaddyfile, for that of kiosks Kiosks. secret and signing_keys are
// placeholders such as {env.PAYWALL_SECRET} or {file./run/secrets/paywall}; see
// App for what they are and for the defaults.
func parseGlobalOption(d *caddyfile.Dispenser, existing any) (any, error) {
	d.Next() // the option's name
	if existing != nil {
		return nil, d.Err("the global option paywall is given twice; keep one")
	}
	if d.NextArg() {
		return nil, d.Errf("the global option paywall takes a block, no arguments; remove %q", d.Val())
	}
	app := new(App)
	seen := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if seen[option] {
			return nil, d.Errf("%s is given twice; keep one", option)
		}
		seen[option] = true
		if err := app.unmarshalOption(d, option); err != nil {
			return nil, err
		}
		if d.NextArg() {
			return nil, d.Errf("%s has an argument too many; remove %q", option, d.Val())
		}
	}
	return httpcaddyfile.App{Name: appName, Value: caddyconfig.JSON(app, nil)}, nil
}

func (a *App) unmarshalOption(d *caddyfile.Dispenser, option string) error {
	switch option {
	case "currency":
		if err := textArg(d, &a.Currency); err != nil {
			return err
		}
		if _, err := wallet.ParseCurrency(a.Currency); err != nil {
			return d.WrapErr(err)
		}
		return nil
	case "ledger":
		return a.unmarshalLedger(d)
	case "secret":
		return textArg(d, &a.Secret)
	case "signing_keys":
		if a.SigningKeys = d.RemainingArgs(); len(a.SigningKeys) == 0 {
			return d.Err("signing_keys needs at least one key, the first of which signs")
		}
		return nil
	case "token_lifetime":
		return durationArg(d, &a.TokenLifetime)
	case "unpaid_limit":
		return a.UnpaidLimit.unmarshal(d)
	case "kiosks":
		a.Kiosks = new(Kiosks)
		return a.Kiosks.unmarshal(d)
	}
	return d.Errf("the global option paywall has no option %q; it has currency, ledger, secret, signing_keys, token_lifetime, unpaid_limit and kiosks", option)
}

func (a *App) unmarshalLedger(d *caddyfile.Dispenser) error {
	var engine string
	if err := textArg(d, &engine); err != nil {
		return err
	}
	module, err := caddyfile.UnmarshalModule(d, "paywall.ledgers."+engine)
	if err != nil {
		return err
	}
	a.LedgerRaw = caddyconfig.JSONModuleObject(module, "engine", engine, nil)
	for d.NextArg() { // the engine has read them from a dispenser of its own
	}
	return nil
}

func (l *UnpaidLimit) unmarshal(d *caddyfile.Dispenser) error {
	args := d.CountRemainingArgs()
	d.NextArg()
	requests := d.Val()
	if l.Off = requests == "off"; l.Off && args == 1 {
		return nil
	}
	if args != 2 || l.Off {
		return d.Err("unpaid_limit needs a number of requests and a period, or off: unpaid_limit 1200 1m")
	}
	var err error
	if l.Requests, err = strconv.Atoi(requests); err != nil || l.Requests < 1 {
		return d.Errf("%q is no number of requests; write unpaid_limit 1200 1m, or unpaid_limit off", requests)
	}
	if err := durationArg(d, &l.Period); err != nil {
		return err
	}
	if err := l.settle(); err != nil {
		return d.WrapErr(err)
	}
	return nil
}
