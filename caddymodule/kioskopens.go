package caddymodule

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

const (
	minOpens = caddy.Duration(time.Minute)
	maxOpens = caddy.Duration(24 * time.Hour)
)

// KioskOpens is the pages that a product opens in the kiosk's browser.
type KioskOpens struct {
	// Their path, as of Caddy's path matcher: /articles/*.
	Path string `json:"path"`

	// For how long, a minute to 24 hours, from the tap on.
	Time caddy.Duration `json:"time"`

	// The path that the browser begins at. It need not be one of those: a list of what
	// there is may be free. Default: Path up to its first *.
	Start string `json:"start,omitempty"`

	match caddyhttp.MatchPath
}

// lasts is for how long pages are open; zero: there are none.
func (o *KioskOpens) lasts() time.Duration {
	if o == nil {
		return 0
	}
	return time.Duration(o.Time)
}

func (o *KioskOpens) provision() error {
	if o == nil {
		return nil
	}
	if o.Time < minOpens || o.Time > maxOpens {
		return fmt.Errorf("%v, must be a minute to 24 hours", time.Duration(o.Time))
	}
	if !strings.HasPrefix(o.Path, "/") || strings.Contains(o.Path, "..") {
		return fmt.Errorf("%q, must be a path of the site such as /articles/*", o.Path)
	}
	if o.Start == "" {
		o.Start, _, _ = strings.Cut(o.Path, "*")
	}
	if localPath(o.Start) != o.Start {
		return errors.New("the start must be a path of the site such as /articles/")
	}
	o.match = caddyhttp.MatchPath{o.Path}
	return o.match.Provision(caddy.Context{})
}

// covers reports whether the request is for one of the pages.
func (o *KioskOpens) covers(r *http.Request) bool {
	if o == nil {
		return false
	}
	matched, err := o.match.MatchWithError(r)
	return err == nil && matched
}

// checkOpens warns of a product that opens what no price stands before: a typing mistake,
// for which somebody would pay and see nothing. The prices of a configuration in JSON need
// not say their paths.
func (a *App) checkOpens() {
	if a.Kiosks == nil {
		return
	}
	for name, p := range a.Kiosks.Products {
		if p.Opens != nil && !a.rules.sell(p.Opens.Path) {
			a.logger.Warn("product " + name + " opens " + p.Opens.Path + ", and no price is for that path; " +
				"write it as the price does, as in paywall " + p.Opens.Path + " 0.10")
		}
	}
}
