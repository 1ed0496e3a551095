package caddymodule

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// offered is a 402 before it has a form: the same for everybody who can read.
type offered struct {
	quote  meter.Quote
	sealed string
	why    *problem // what stands in the way; nil: nothing but consent
}

// challenge answers 402: what the page costs, and how to pay for it.
func (s *sale) challenge(w http.ResponseWriter, why error) {
	if p := (problem{}); errors.As(s.app.unpaid(s.r, s.cred), &p) {
		s.turnAway(w, p)
		return
	}
	s.became(outcomeChallenged)
	o := offered{quote: meter.NewQuote(s.app.newID(), s.rule, s.resource, s.back, s.app.now())}
	o.sealed = o.quote.Seal(s.keys.quotes)
	if p := (problem{}); errors.As(why, &p) {
		o.why = &p
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	s.app.namePrice(h, s.rule.Lead().Price)
	allowAsker(h, s.r)
	addVary(h, "Accept", "Accept-Language", "Authorization", "Cookie")
	switch formOf(s.r.Header) {
	case asHTML:
		writePage(w, http.StatusPaymentRequired, s.challengePage(w, o))
	case asJSON:
		writeJSON(w, http.StatusPaymentRequired, "application/problem+json", s.challengeJSON(o))
	default:
		writeText(w, http.StatusPaymentRequired, s.challengeText(o))
	}
}

// namePrice says in the header of a 402 what it asks for, and where to pay.
func (a *App) namePrice(h http.Header, price wallet.Amount) {
	h.Set("Paywall-Price", a.currency.Price(price))
	h.Add("Link", "<"+page.PayPath+`>; rel="payment"`)
}

// challengePage is the 402 for people.
func (s *sale) challengePage(w http.ResponseWriter, o offered) page.Challenge {
	c := page.Challenge{
		Frame: s.app.frame(s.r), Title: s.fill(s.Title), Teaser: s.fill(s.Teaser),
		Window: s.rule.Window, Quote: o.sealed, Return: s.back,
		HasWallet: s.cred != nil, Balance: s.standing.Available, Visits: s.standing.Visits,
	}
	if c.Title == "" {
		_, c.Title = meter.SplitResource(s.resource)
	}
	if o.why != nil && o.why.key != page.NotEnough { // the page itself says what is missing
		c.Notice = &page.Notice{Error: true, Key: o.why.key}
	}
	if intentOf(s.r) != neverPays {
		c.RecoveryCode = takeRecovery(w, s.r)
		c.Notice = cmp.Or(takeNotice(w, s.r), c.Notice)
	}
	for _, offer := range s.rule.Offers() {
		c.Offers = append(c.Offers, page.Offer{
			Name: offer.Name, Visits: offer.Visits, Price: offer.Price, Validity: offer.Validity,
			Affordable: s.standing.Credential == wallet.Applied && s.standing.Available >= offer.Price,
		})
	}
	return c
}

// fill expands the placeholders of a text from the configuration.
func (s *sale) fill(template string) string {
	repl, ok := s.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return template
	}
	return strings.TrimSpace(repl.ReplaceAll(template, ""))
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

func (s *sale) challengeJSON(o offered) challengeJSON {
	lang := page.Language(s.r)
	p := problemJSON{problemType("payment_required"), http.StatusText(http.StatusPaymentRequired), http.StatusPaymentRequired, s.priceLine()}
	if o.why != nil {
		p = o.why.json(lang)
		p.Status = http.StatusPaymentRequired
	}
	c := challengeJSON{
		problemJSON: p, Instance: s.back,
		Price: s.app.money(s.rule.Lead().Price), Offers: s.app.offers(s.rule),
		Quote: o.sealed, Expires: o.quote.Expires.UTC(),
		Pay: page.PayPath, Redeem: page.RedeemPath, Wallets: walletsPath,
	}
	if s.cred != nil {
		balance := s.app.money(s.standing.Available)
		c.Balance = &balance
	}
	return c
}

// challengeText is the 402 for curl: two lines, the price and what to do.
func (s *sale) challengeText(o offered) string {
	todo := "Pay with a wallet token: curl -H 'Authorization: Bearer <token>' " + s.address(s.back) +
		" (a token: POST " + walletsPath + ", money: POST " + page.RedeemPath + ")"
	if o.why != nil {
		todo = "Not paid: " + o.why.text("en")
	}
	return s.priceLine() + "\n" + todo + "\n"
}

// priceLine says in one line what is for sale.
func (s *sale) priceLine() string {
	var parts []string
	for _, o := range s.rule.Offers() {
		price := s.app.currency.Price(o.Price)
		if o.Visits > 0 {
			price = fmt.Sprintf("%d visits for %s", o.Visits, price)
		}
		parts = append(parts, price)
	}
	_, path := meter.SplitResource(s.resource)
	return fmt.Sprintf("%s for %s, free again for %s",
		strings.Join(parts, " or "), (&url.URL{Path: path}).EscapedPath(), duration(s.rule.Window))
}

// address is the absolute URL of a path, as the client would write it.
func (s *sale) address(path string) string {
	scheme := "http://"
	if secure(s.r) {
		scheme = "https://"
	}
	return scheme + s.r.Host + path
}

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

// reply answers a problem, in the form that the request reads.
func (s *sale) reply(w http.ResponseWriter, err error) error {
	var p problem
	if !errors.As(err, &p) {
		return err
	}
	s.replyProblem(w, p)
	return nil
}

// replyProblem answers a problem. One that money would cure is a challenge.
func (s *sale) replyProblem(w http.ResponseWriter, p problem) {
	if p.status == http.StatusPaymentRequired {
		s.challenge(w, p)
		return
	}
	s.turnAway(w, s.app.counted(s.r, s.cred, p))
}

// turnAway answers a problem that money would not cure.
func (s *sale) turnAway(w http.ResponseWriter, p problem) {
	switch {
	case p.key == page.Limited:
		s.became(outcomeLimited)
	case p.status == http.StatusServiceUnavailable:
		s.became(outcomeUnavailable)
	default:
		s.became(outcomeRefused)
	}
	p.write(w, s.r, formOf(s.r.Header), s.app.frame(s.r))
}
