package caddymodule

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/meter"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/words"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A card that signs opens an address of the site on any phone. Who has been shown a price
// there, and has said that a card shall pay it, pays it with a button then; else the page
// leads to the card's wallet, or lets whoever has found the card block it. Opening the
// address spends nothing: link previews do too.

const (
	wantFor  = 10 * time.Minute // the phone waits for a card
	mostWant = 3 << 10          // bytes of the quote in a cookie
)

// wantTap serves POST /.paywall/tap/want: a card shall pay for a page on this phone.
func (c *call) wantTap() error {
	if err := c.mustBeOurs(); err != nil {
		return err
	}
	asked, err := c.quote(c.fields.Path)
	if err != nil {
		return err
	}
	if asked.rule.Price == 0 {
		return badRequest("views of that path are not sold singly")
	}
	quote := meter.NewQuote(c.app.newID(), asked.rule, asked.resource, asked.back, c.app.now()).Seal(c.keys.quotes)
	if len(quote) > mostWant {
		return problem{status: http.StatusRequestEntityTooLarge, key: page.TooLarge}
	}
	setCookie(c.w, c.r, wantCookie, quote, wantFor)
	c.toTap()
	return nil
}

func (c *call) toTap() {
	c.redirect(page.TapPath + "?" + url.Values{"lang": {page.Language(c.r)}}.Encode())
}

// wanted is the page that a card shall pay for on this phone; ok: there is one.
func (c *call) wanted() (q meter.Quote, ok bool) {
	for value := range cookieValues(c.r, cookieName(c.r, wantCookie)) {
		q, err := meter.OpenQuote(c.keys.quotes, value, c.app.now())
		return q, err == nil
	}
	return q, false
}

// tapPage is the page with what the phone would like to pay for.
func (c *call) tapPage() page.Tap {
	p := page.Tap{Frame: c.app.frame(c.r)}
	p.Path = page.TapPath // without what the card has written there
	if q, ok := c.wanted(); ok {
		_, path := meter.SplitResource(q.Resource)
		p.Price, p.Page = q.Rule.Price, path
		if title := c.app.rules.title(q.Rule.Name); title != q.Rule.Name {
			p.Page = title
		}
	}
	return p
}

// showTap serves GET /.paywall/tap: what a card opens, and where a phone waits for one.
func (c *call) showTap() error {
	if err := c.mustBeOurs(); err != nil {
		return err
	}
	addVary(c.w.Header(), "Accept-Language", "Cookie")
	asked := c.r.URL.Query()
	if intentOf(c.r) == neverPays || !asked.Has("picc") && !asked.Has("p") {
		p := c.tapPage()
		p.Notice = takeNotice(c.w, c.r)
		writePage(c.w, http.StatusOK, p)
		return nil
	}
	if err := c.guessing(); err != nil {
		return err
	}
	cashier := c.app.cashier(c.keys, c.ledger)
	touch := kiosk.Touch{Reason: wire.Forged}
	if shown, is := wire.AtAddress(c.r.URL.String()); is {
		var err error
		if touch, err = cashier.Read(c.r.Context(), shown); err != nil {
			return c.kioskProblem(err)
		}
	}
	return c.answerTouch(touch)
}

func (c *call) answerTouch(touch kiosk.Touch) error {
	p := c.tapPage()
	switch {
	case touch.Reason == wire.Forged:
		_ = c.wrongCode(problem{}) // it is counted like one
		return c.refuseTap(p, http.StatusUnprocessableEntity, touch.Reason)
	case touch.Reason != "":
		return c.refuseTap(p, http.StatusConflict, touch.Reason)
	case touch.Claim != "":
		c.redirect(claimPath(touch.Claim))
		return nil
	}
	held, err := c.holder()
	if err != nil {
		return err
	}
	if held != nil && held.ID == touch.Card.Wallet && p.Page == "" {
		c.redirect(page.CardsPath + "?" + url.Values{"card": {touch.Card.ID}}.Encode())
		return nil
	}
	p.Token, p.Blocked = touch.Token, touch.Card.Blocked
	writePage(c.w, http.StatusOK, p)
	return nil
}

// refuseTap says why a card is not taken, as a kiosk would.
func (c *call) refuseTap(p page.Tap, status int, reason wire.Reason) error {
	w := words.Of(p.Lang, words.Refused, reason)
	p.Title, p.Text, p.Token = w.Title, w.Text, ""
	if err := c.app.unpaid(c.r, c.cred); err != nil {
		return err
	}
	writePage(c.w, status, p)
	return nil
}

// payTap serves POST /.paywall/tap/pay: the card that this phone has read pays for the page
// that it was to.
func (c *call) payTap() error {
	if err := c.mustBeOurs(); err != nil {
		return err
	}
	c.fields.Return = page.TapPath
	q, ok := c.wanted()
	if !ok {
		return problem{status: http.StatusConflict, key: page.QuoteExpired}
	}
	form, cashier := c.r.PostForm, c.app.cashier(c.keys, c.ledger)
	var answer *wire.Answer
	if state := form.Get("state"); state != "" {
		answer = &wire.Answer{State: state, PIN: wire.PIN(form.Get("pin"))}
	}
	view := kiosk.View{Rule: q.Rule.Name, Resource: q.Resource, Price: q.Rule.Price, Window: q.Rule.Window}
	v, from, err := cashier.Pay(c.r.Context(), form.Get("token"), view, answer)
	switch {
	case errors.Is(err, kiosk.ErrCode), errors.Is(err, kiosk.ErrInvalid):
		return problem{status: http.StatusConflict, key: page.TapOver}
	case err != nil:
		return c.kioskProblem(err)
	case v.Outcome == wire.Asked:
		p := c.tapPage()
		p.Token, p.Ask, p.Wrong = form.Get("token"), v.Ask.State, v.Ask.Wrong
		writePage(c.w, http.StatusOK, p)
		return nil
	case v.Outcome != wire.Granted:
		return c.refuseTap(c.tapPage(), http.StatusPaymentRequired, v.Reason)
	}
	if from.Charged {
		collectors.charged.WithLabelValues(q.Rule.Name, c.app.currency.String()).Add(units(view.Price))
	}
	setCookie(c.w, c.r, wantCookie, "", -time.Second)
	if err := c.givePass(cashier, from, q.Resource, q.Return); err != nil {
		return err
	}
	c.redirect(localPath(q.Return))
	return nil
}

// blockTap serves POST /.paywall/tap/block: whoever holds a card blocks it.
func (c *call) blockTap() error {
	if err := c.mustBeOurs(); err != nil {
		return err
	}
	c.fields.Return = page.TapPath
	err := c.app.cashier(c.keys, c.ledger).BlockTouched(c.r.Context(), c.r.PostForm.Get("token"))
	switch {
	case errors.Is(err, kiosk.ErrCode), errors.Is(err, wallet.ErrNotFound):
		return problem{status: http.StatusConflict, key: page.TapOver}
	case err != nil:
		return c.kioskProblem(err)
	}
	return c.done(http.StatusOK, struct{}{}, page.TapPath, page.CardBlocked)
}
