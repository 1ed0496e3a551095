package caddymodule

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// offered is what the 402s of one price say differently.
type offered struct {
	path    string // of what is paid for, escaped
	back    string // the path and query that the client asked for
	address string // the same with scheme and host, as a word of a shell's
	quote   string
	expires time.Time
}

// offered is what the 402 under way says in each form, which is neither the
// quote nor the address.
func (s *sale) offered() offered {
	_, path := meter.SplitResource(s.resource)
	return offered{path: (&url.URL{Path: path}).EscapedPath(), back: s.back}
}

// challengeJSON is the 402 for machines: RFC 9457 problem JSON with what a
// payment needs as extension members.
type challengeJSON struct {
	problemJSON
	Instance string      `json:"instance"`
	Price    moneyJSON   `json:"price"`
	Offers   []offerJSON `json:"offers"`
	Quote    string      `json:"quote"`
	Expires  time.Time   `json:"expires"`
	Balance  *moneyJSON  `json:"balance,omitempty"`
	Pay      string      `json:"pay"`
	Redeem   string      `json:"redeem"`
	Wallets  string      `json:"wallets"`
}

// moneyJSON is an amount in an answer.
type moneyJSON struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

func (a *App) money(amount wallet.Amount) moneyJSON {
	return moneyJSON{a.currency.Format(amount), a.currency.String()}
}

// offerJSON is an offer in an answer.
type offerJSON struct {
	Offer    string `json:"offer"`
	Price    string `json:"price"`
	Visits   int    `json:"visits,omitempty"`
	Validity string `json:"validity,omitempty"`
}

func (a *App) offers(rule meter.Rule) []offerJSON {
	var list []offerJSON
	for _, o := range rule.Offers() {
		item := offerJSON{Offer: o.Name, Price: a.currency.Format(o.Price), Visits: o.Visits}
		if o.Validity > 0 {
			item.Validity = duration(o.Validity)
		}
		list = append(list, item)
	}
	return list
}

// offerJSON is the 402 for a machine of which nothing is known.
func (h *Handler) offerJSON(o offered) challengeJSON {
	const status = http.StatusPaymentRequired
	return challengeJSON{
		problemJSON: problemJSON{problemType("payment_required"), http.StatusText(status), status, h.priceLine(o.path)},
		Instance:    o.back,
		Price:       h.app.money(h.rule.Lead().Price), Offers: h.app.offers(h.rule),
		Quote: o.quote, Expires: o.expires,
		Pay: page.PayPath, Redeem: page.RedeemPath, Wallets: walletsPath,
	}
}

// challengeJSON is the 402 with what is known of the wallet, and of what stands
// in the way.
func (s *sale) challengeJSON(why *problem) challengeJSON {
	o := s.offered()
	o.quote, o.expires = s.sealed()
	c := s.offerJSON(o)
	if why != nil {
		c.problemJSON = why.json(page.Language(s.r))
		c.Status = http.StatusPaymentRequired
	}
	if s.cred != nil {
		balance := s.app.money(s.standing.Available)
		c.Balance = &balance
	}
	return c
}

// offerText is the 402 for curl: two lines, the price and what to do.
func (h *Handler) offerText(o offered) string {
	return h.priceLine(o.path) + "\nPay with a wallet token: curl -H 'Authorization: Bearer <token>' " + o.address +
		" (a token: POST " + walletsPath + ", money: POST " + page.RedeemPath + ")\n"
}

// challengeText is the 402 for curl, with what stands in the way.
func (s *sale) challengeText(why *problem) string {
	o := s.offered()
	if why == nil {
		o.address = s.address(s.back)
		return s.offerText(o)
	}
	return s.priceLine(o.path) + "\nNot paid: " + why.text("en") + "\n"
}

// priceLine says in one line what is for sale.
func (h *Handler) priceLine(path string) string {
	var parts []string
	for _, o := range h.rule.Offers() {
		price := h.app.currency.Price(o.Price)
		if o.Visits > 0 {
			price = fmt.Sprintf("%d visits for %s", o.Visits, price)
		}
		parts = append(parts, price)
	}
	return fmt.Sprintf("%s for %s, free again for %s", strings.Join(parts, " or "), path, duration(h.rule.Window))
}

// address is the absolute URL of a path, as the client would write it behind
// curl.
func (s *sale) address(path string) string {
	scheme := "http://"
	if secure(s.r) {
		scheme = "https://"
	}
	return shellWord(scheme + s.r.Host + path)
}

// shellWord quotes a URL where a shell would read more than a word: whoever
// copies the line must not run what a link's author has written behind a
// semicolon. Braces are escaped, because a site's templates directive may
// execute what it finds between two of them in an answer.
func shellWord(url string) string {
	if strings.Trim(url, shellPlain) == "" {
		return url
	}
	return "'" + shellUnsafe.Replace(url) + "'"
}

var shellUnsafe = strings.NewReplacer("'", "%27", "{", "%7B", "}", "%7D")

const shellPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:.,_%+=@-"

// duration writes a duration as a Caddyfile would: 24h, 30d, 90m.
func duration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	for _, zero := range [...]string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
