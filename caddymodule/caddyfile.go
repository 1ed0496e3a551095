package caddymodule

import (
	"encoding/json"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func init() {
	httpcaddyfile.RegisterDirective(appName, parseDirective)
	// After authentication and rewrites, before anything that answers.
	httpcaddyfile.RegisterDirectiveOrder(appName, httpcaddyfile.Before, "encode")
}

// parseDirective reads the directive paywall:
//
//	paywall [<matcher>] [<price>] {
//	    bundle <visits> <price> [<validity>]
//	    window <duration>
//	    title  <text>
//	    teaser <text>
//	    rule   <name>
//	}
//
// <price> is what one view costs, such as 0.10; without it single views are not
// sold. bundle sells visits together; they last for <validity>, such as 90d, or
// do not end. window is how long a view can be repeated for free (default 24h).
// title and teaser stand on the 402 page; placeholders are expanded for each
// request. rule names the price in reports and in what readers have bought; its
// default is the matcher as written, else "*".
//
// A path matches as in every directive: /article is not /article/, and
// /articles/* is not /articles. Where the site answers both alike, as many
// upstreams do, and a file_server with disable_canonical_uris, price both, with
// a named matcher: @priced path /articles /articles/*.
//
// Of several lines that match a request the most specific path decides, as for
// every directive. Every line also serves the wallet's pages below /.paywall/; a
// line with neither price nor block does only that, and is needed beside the
// handle blocks of a site whose prices are all inside them.
func parseDirective(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	h.Next() // the directive's name
	matcherToken := ""
	if h.NextArg() {
		matcherToken = h.Val()
	}
	h.Reset()
	h.Next()
	matcher, err := h.ExtractMatcherSet()
	if err != nil {
		return nil, err
	}
	handler := new(Handler)
	if matcher != nil {
		handler.Rule = matcherToken
		_ = json.Unmarshal(matcher["path"], &handler.Paths) // other matchers have no paths to tell
	}
	if err := handler.UnmarshalCaddyfile(h.Dispenser); err != nil {
		return nil, err
	}
	var routes []httpcaddyfile.ConfigValue
	if handler.sells() {
		routes = h.NewRoute(matcher, handler)
	} else if matcher != nil {
		return nil, h.Errf("paywall %s has no price: write paywall %s 0.10, or give it a bundle", matcherToken, matcherToken)
	}
	return append(routes, walletRoute(h)...), nil
}

// walletRoute is the route of the wallet's pages. It takes every request, after
// the prices, because free pages must not see the wallet's credentials either.
// Every line makes one, because Caddy does not tell a line whether its site has
// another, and a site without the pages takes no payment; the first of them
// answers.
func walletRoute(h httpcaddyfile.Helper) []httpcaddyfile.ConfigValue {
	return h.NewRoute(nil, new(Handler))
}

// UnmarshalCaddyfile reads the directive after its matcher; see parseDirective.
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	if d.NextArg() {
		h.Price = d.Val()
		if err := checkPrice(d, h.Price); err != nil {
			return err
		}
	}
	if d.NextArg() {
		return d.Errf("paywall takes a matcher and one price; remove %q", d.Val())
	}
	seen := make(map[string]bool)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		if seen[option] {
			return d.Errf("%s is given twice; keep one", option)
		}
		seen[option] = true
		if err := h.unmarshalOption(d, option); err != nil {
			return err
		}
		if d.NextArg() {
			return d.Errf("%s has an argument too many; remove %q, or put quotes around a text with spaces", option, d.Val())
		}
	}
	return nil
}

func (h *Handler) unmarshalOption(d *caddyfile.Dispenser, option string) error {
	switch option {
	case "bundle":
		return h.unmarshalBundle(d)
	case "window":
		return durationArg(d, &h.Window)
	case "title":
		return textArg(d, &h.Title)
	case "teaser":
		return textArg(d, &h.Teaser)
	case "rule":
		return textArg(d, &h.Rule)
	}
	return d.Errf("paywall has no option %q; it has bundle, window, title, teaser and rule", option)
}

func (h *Handler) unmarshalBundle(d *caddyfile.Dispenser) error {
	b := new(Bundle)
	var visits string
	if !d.Args(&visits, &b.Price) {
		return d.Err("bundle needs a number of visits and a price: bundle 10 10.00 [90d]")
	}
	var err error
	if b.Visits, err = strconv.Atoi(visits); err != nil || b.Visits < 1 || b.Visits > wallet.MaxVisits {
		return d.Errf("%q is no number of visits; write 1 to %d, then the price: bundle 10 10.00", visits, wallet.MaxVisits)
	}
	if err := checkPrice(d, b.Price); err != nil {
		return err
	}
	if d.NextArg() {
		d.Prev()
		if err := durationArg(d, &b.Validity); err != nil {
			return err
		}
	}
	h.Bundle = b
	return nil
}

func checkPrice(d *caddyfile.Dispenser, price string) error {
	if _, err := wallet.ParseAmount(price); err != nil {
		return d.WrapErr(err)
	}
	return nil
}

func durationArg(d *caddyfile.Dispenser, into *caddy.Duration) error {
	option := d.Val()
	if !d.NextArg() {
		return d.Errf("%s needs a duration, such as 24h or 7d", option)
	}
	parsed, err := caddy.ParseDuration(d.Val())
	if err != nil || parsed <= 0 {
		return d.Errf("%q is no duration; write a number with a unit, such as 24h or 7d", d.Val())
	}
	*into = caddy.Duration(parsed)
	return nil
}

func textArg(d *caddyfile.Dispenser, into *string) error {
	option := d.Val()
	if !d.NextArg() || d.Val() == "" {
		return d.Errf("%s needs a text", option)
	}
	*into = d.Val()
	return nil
}

// Interface guard
var _ caddyfile.Unmarshaler = (*Handler)(nil)
