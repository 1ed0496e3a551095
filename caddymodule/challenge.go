package caddymodule

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// payLink is the field Link of a 402: where to pay (RFC 8288).
const payLink = "<" + page.PayPath + `>; rel="payment"`

// challenge answers 402: what the page costs, and how to pay for it.
func (s *sale) challenge(w http.ResponseWriter, why error) {
	if err := s.app.unpaid(s.r, s.cred); err != nil {
		s.turnAway(w, *problemIn(err))
		return
	}
	s.became(outcomeChallenged)
	h := w.Header()
	setFields(h, field{"Cache-Control", "no-store"})
	namePrice(h, s.pressed.price)
	allowAsker(h, s.r)
	addVary(h, "Accept", "Accept-Language", "Authorization", "Cookie")
	f := formOf(s.r.Header)
	var n news
	if f == asHTML {
		n = s.news(w)
	}
	if s.cred == nil && why == nil && n == (news{}) {
		s.challengeStranger(w, f)
		return
	}
	switch p := problemIn(why); f {
	case asHTML:
		writePage(w, http.StatusPaymentRequired, s.challengePage(p, n))
	case asJSON:
		writeJSON(w, http.StatusPaymentRequired, problemMedia, s.challengeJSON(p))
	default:
		writeText(w, http.StatusPaymentRequired, s.challengeText(p))
	}
}

// problemIn is the problem that an error is; nil: none.
func problemIn(err error) *problem {
	if p := (problem{}); errors.As(err, &p) {
		return &p
	}
	return nil
}

// namePrice says in the header of a 402 what it asks for, as in "0.10 USD", and
// where to pay.
func namePrice(h http.Header, price string) {
	setFields(h, field{"Paywall-Price", price})
	h["Link"] = append(h["Link"], payLink)
}

// news is what the last answer left for the next page to say.
type news struct {
	recovery string
	notice   *page.Notice
}

// news takes what is waiting for the page under way, if somebody will see it.
func (s *sale) news(w http.ResponseWriter) news {
	if intentOf(s.r) == neverPays {
		return news{}
	}
	return news{takeRecovery(w, s.r), takeNotice(w, s.r)}
}

// sealed is a quote for the page under way, and when it ends.
func (s *sale) sealed() (quote string, expires time.Time) {
	q := meter.NewQuote(s.app.newID(), s.rule, s.resource, s.back, s.app.now())
	return q.Seal(s.keys.quotes), q.Expires.UTC()
}

// challengePage is the 402 for people. why is what stands in the way; nil:
// nothing but consent.
func (s *sale) challengePage(why *problem, n news) page.Challenge {
	c := page.Challenge{
		Frame: s.app.frame(s.r), Title: s.title(), Teaser: s.fill(s.Teaser),
		Window: s.rule.Window, Offers: pageOffers(s.rule), Return: s.back,
		Cards: s.app.Kiosks != nil, HasWallet: s.cred != nil, Balance: s.standing.Available, Visits: s.standing.Visits,
	}
	c.Quote, _ = s.sealed()
	for i, offer := range c.Offers {
		c.Offers[i].Affordable = s.standing.Credential == wallet.Applied && s.standing.Available >= offer.Price
	}
	c.RecoveryCode, c.Notice = n.recovery, n.notice
	if why != nil && why.key != page.NotEnough { // the page itself says what is missing
		c.Notice = cmp.Or(n.notice, &page.Notice{Error: true, Key: why.key})
	}
	return c
}

func pageOffers(rule meter.Rule) (offers []page.Offer) {
	for _, o := range rule.Offers() {
		offers = append(offers, page.Offer{Name: o.Name, Visits: o.Visits, Price: o.Price, Validity: o.Validity})
	}
	return offers
}

// title is the page's title, or else its path.
func (s *sale) title() string {
	if title := s.fill(s.Title); title != "" {
		return title
	}
	_, path := meter.SplitResource(s.resource)
	return path
}

// fill expands the placeholders of a text from the configuration.
func (s *sale) fill(template string) string {
	repl, ok := s.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return template
	}
	return strings.TrimSpace(repl.ReplaceAll(template, ""))
}

// reply answers a problem, in the form that the request reads.
func (s *sale) reply(w http.ResponseWriter, err error) error {
	p := problemIn(err)
	if p == nil {
		return err
	}
	s.replyProblem(w, *p)
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
