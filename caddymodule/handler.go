package caddymodule

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func init() {
	caddy.RegisterModule(Handler{})
}

// prefix is where the wallet's own pages are.
const prefix = "/.paywall/"

// decidedVar marks a request that a paywall has decided on. Further ones pass
// it through, so that overlapping prices, internal rewrites and error routes
// charge once.
const decidedVar = "paywall.decided"

// Handler puts a price on the requests of its route, and serves the wallet's
// pages below /.paywall/. Without a price and a bundle it does the latter, and
// hides the wallet's credentials from what serves the free pages.
// Of several prices that match a request the first in the order of the routes
// counts.
//
// A request passes if its wallet has paid for the resource within the window;
// else it is charged if it may be (see the package documentation), or answered
// with 402.
//
// Placeholders it sets:
//
// Placeholder | Description
// ------------|------------
// `{http.paywall.rule}` | The name of the rule that decided.
// `{http.paywall.price}` | Its price for one view, or else of its bundle, such as 0.10.
// `{http.paywall.currency}` | The ISO 4217 code of the currency.
// `{http.paywall.wallet}` | The id of the wallet, a pseudonym; empty without one.
// `{http.paywall.visits}` | For the upstream: the visits left in the wallet's pass after this view; empty where it has none.
// `{http.paywall.outcome}` | After the answer: paid, visit, granted, refunded, unpaid, challenged, limited, refused or unavailable.
// `{http.paywall.charge_id}` | After the answer: the id of the charge, where there was one.
type Handler struct {
	// The name of the rule: it identifies visits bought and stands in reports,
	// so it should outlive changes of the price. Default: the matcher as
	// written in the Caddyfile, else "*".
	Rule string `json:"rule,omitempty"`

	// The paths that the route matches, for /.paywall/prices to say. Matching
	// is the route's.
	Paths []string `json:"paths,omitempty"`

	// The price of one view, as a decimal string. Default: not sold singly.
	Price string `json:"price,omitempty"`

	// Visits sold together. Default: none.
	Bundle *Bundle `json:"bundle,omitempty"`

	// How long a view can be repeated for free, from one second to 400 days.
	// Default: 24 hours.
	Window caddy.Duration `json:"window,omitempty"`

	// The title that the 402 page shows. Placeholders are expanded. Default:
	// the path.
	Title string `json:"title,omitempty"`

	// A few sentences that the 402 page shows under the title. Placeholders
	// are expanded.
	Teaser string `json:"teaser,omitempty"`

	app   *App
	rule  meter.Rule
	price string // of one view, as the upstream is told: "0.10 USD"
	count counters

	pressed pressed // its 402
}

// Bundle is a number of visits sold together.
type Bundle struct {
	// How many visits, 1 to 1 000 000.
	Visits int `json:"visits"`

	// What they cost together, as a decimal string.
	Price string `json:"price"`

	// How long they last after they were bought. Default: they do not end.
	Validity caddy.Duration `json:"validity,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.paywall", New: func() caddy.Module { return new(Handler) }}
}

// Provision sets the handler up.
func (h *Handler) Provision(ctx caddy.Context) error {
	app, err := ctx.App(appName)
	if err != nil {
		return err
	}
	h.app = app.(*App)
	if !h.sells() {
		return nil
	}
	if h.Rule == "" {
		h.Rule = "*"
	}
	if h.rule, err = h.meterRule(); err != nil {
		return err
	}
	if err := h.rule.Check(); err != nil {
		return err
	}
	h.price = h.app.currency.Price(h.rule.Price)
	h.pressed = h.press()
	h.count = countersOf(h.Rule, h.app.currency)
	return h.app.rules.add(pricedRule{h.rule, h.Paths, h.Title})
}

// sells reports whether the handler has a price.
func (h *Handler) sells() bool { return h.Price != "" || h.Bundle != nil }

func (h *Handler) meterRule() (rule meter.Rule, err error) {
	rule = meter.Rule{Name: h.Rule, Window: time.Duration(h.Window)}
	if h.Window == 0 {
		rule.Window = meter.DefaultWindow
	}
	if h.Price != "" {
		if rule.Price, err = wallet.ParseAmount(h.Price); err != nil {
			return rule, fmt.Errorf("paywall %s: price: %w", h.Rule, err)
		}
	}
	if h.Bundle != nil {
		rule.Bundle = meter.Bundle{Visits: h.Bundle.Visits, Validity: time.Duration(h.Bundle.Validity)}
		if rule.Bundle.Price, err = wallet.ParseAmount(h.Bundle.Price); err != nil {
			return rule, fmt.Errorf("paywall %s: bundle price: %w", h.Rule, err)
		}
	}
	return rule, nil
}

// ServeHTTP serves the wallet's pages, passes what is not for sale or decided
// already, tells a quote probe the price, and sells the rest.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	asked := askedURL(r)
	keepOwnPath(r, asked)
	if h.app.leadStraight(w, r, asked) {
		return nil
	}
	if strings.HasPrefix(r.URL.Path, prefix) {
		h.app.servePages(w, r)
		return nil
	}
	if caddyhttp.GetVar(r.Context(), decidedVar) != nil {
		return next.ServeHTTP(w, r) // sold, and its credentials hidden, further up
	}
	if !h.sells() {
		h.app.hideFree(r)
		return next.ServeHTTP(w, r)
	}
	caddyhttp.SetVar(r.Context(), decidedVar, true)
	what := h.ask(r)
	if p := probeOf(r.Context()); p != nil {
		p.found = &what
		return nil
	}
	if intentOf(r) == preflight {
		hide(r, &credential{bearer: true}) // browsers send none; a program's may be a wallet's token
		return servePreflight(w, r, next)
	}
	return sell(w, r, next, what)
}

// ask is what a request asks for, and what it costs.
type ask struct {
	*Handler
	resource string
	back     string // the path and query that the client asked for
}

func (h *Handler) ask(r *http.Request) ask {
	return ask{h, meter.Resource(r.Host, r.URL.Path), originalURI(r)}
}

// originalURI is the path and query before any rewrite. It begins with exactly
// one slash: a client that asks for //evil.example/ must not be sent there
// after paying.
func originalURI(r *http.Request) string {
	uri := askedURL(r).RequestURI()
	if rest := strings.TrimLeft(uri, `/\`); len(uri)-len(rest) != 1 || uri[0] != '/' {
		return "/" + rest
	}
	return uri
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
