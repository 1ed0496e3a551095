package caddymodule

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/words"
)

// A till is a browser with which somebody sells and hands out: a card's number is typed, by
// a reader that plays a keyboard, or read by Web NFC. What a card has paid is set aside until
// the seller says that it was handed out, or the next card comes.

const (
	tillCookie = "paywall-till"
	tillLasts  = 180 * 24 * time.Hour
	tillHold   = 5 * time.Minute  // the seller is asked for as long
	tillTap    = 10 * time.Minute // after which a form that has lain there is a new tap
	mostCard   = 500              // bytes of what is typed

	mostPicture = 240 // pixels of a code, which the smallest screen has room for
	quietZone   = 8   // modules of it that stay white
)

// tillOf is the till's cookie; empty: the browser is none.
func (c *call) tillOf() string {
	for value := range cookieValues(c.r, cookieName(c.r, tillCookie)) {
		return value
	}
	return ""
}

// setTill gives the browser the till's cookie. No other site's link or form brings it along.
func (c *call) setTill(value string, age time.Duration) {
	http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // Secure wherever the client speaks TLS
		Name: cookieName(c.r, tillCookie), Value: value, Path: "/", MaxAge: int(age / time.Second),
		Secure: secure(c.r), HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// tillCashier judges for a till.
func (c *call) tillCashier() (*kiosk.Cashier, error) {
	if err := c.mustBeOurs(); err != nil {
		return nil, err
	}
	cashier := c.app.cashier(c.keys, c.ledger)
	cashier.Hold = max(cashier.Hold, tillHold)
	return cashier, nil
}

// showTill serves GET /.paywall/till.
func (c *call) showTill() error {
	cashier, err := c.tillCashier()
	if err != nil {
		return err
	}
	addVary(c.w.Header(), "Accept-Language", "Cookie")
	k, err := cashier.OpenTill(c.r.Context(), c.tillOf())
	notice := takeNotice(c.w, c.r)
	switch {
	case errors.Is(err, kiosk.ErrUnauthorized), errors.Is(err, kiosk.ErrDisabled):
		if notice == nil && c.tillOf() != "" {
			notice = &page.Notice{Error: true, Key: page.TillNone}
		}
		k = kiosk.Kiosk{}
	case err != nil:
		return c.kioskProblem(err)
	}
	p := c.tillPage(k, c.r.URL.Query())
	p.Notice = notice
	writePage(c.w, http.StatusOK, p)
	return nil
}

// tillPage is the till's page with what is chosen.
func (c *call) tillPage(k kiosk.Kiosk, chosen url.Values) page.Till {
	p := page.Till{Frame: c.app.frame(c.r), Kiosk: k.Name, Tap: c.app.newID().String(), Format: string(uid.Hex)}
	p.Path = page.TillPath
	for _, format := range uid.Formats {
		p.Formats = append(p.Formats, string(format))
		if chosen.Get("format") == string(format) {
			p.Format = string(format)
		}
	}
	for name, sold := range c.app.Kiosks.products {
		p.Products = append(p.Products, page.Goods{Name: name, Title: sold.Title, Price: sold.Price, Decimal: c.app.currency.Format(sold.Price)})
	}
	slices.SortFunc(p.Products, func(a, b page.Goods) int { return strings.Compare(a.Name, b.Name) })
	if i := slices.IndexFunc(p.Products, func(g page.Goods) bool { return g.Name == chosen.Get("product") }); i >= 0 {
		p.Product = &p.Products[i]
	}
	if k.Name != "" {
		p.Path += "?" + url.Values{"format": {p.Format}, "product": {chosen.Get("product")}}.Encode()
	}
	return p
}

// enrolTill serves POST /.paywall/till/enrol: the browser becomes a till.
func (c *call) enrolTill() error {
	cashier, err := c.tillCashier()
	if err != nil {
		return err
	}
	c.fields.Return = page.TillPath
	if err := c.guessing(); err != nil {
		return err
	}
	cookie, err := cashier.EnrolTill(c.r.Context(), c.fields.Code)
	if errors.Is(err, kiosk.ErrCode) {
		return c.wrongCode(problem{status: http.StatusUnprocessableEntity, key: page.TillCode})
	}
	if err != nil {
		return c.kioskProblem(err)
	}
	c.setTill(cookie, tillLasts)
	return c.done(http.StatusOK, struct{}{}, page.TillPath, "")
}

// till is whose the browser is that sells something.
func (c *call) till() (k kiosk.Kiosk, cashier *kiosk.Cashier, err error) {
	if cashier, err = c.tillCashier(); err != nil {
		return k, nil, err
	}
	c.fields.Return = page.TillPath
	k, err = cashier.UseTill(c.r.Context(), c.tillOf())
	switch {
	case errors.Is(err, kiosk.ErrUnauthorized), errors.Is(err, kiosk.ErrDisabled):
		return k, nil, problem{status: http.StatusForbidden, key: page.TillNone}
	case err != nil:
		return k, nil, c.kioskProblem(err)
	}
	return k, cashier, nil
}

// tapTill serves POST /.paywall/till/tap: a card is to pay.
func (c *call) tapTill() error {
	k, cashier, err := c.till()
	if err != nil {
		return err
	}
	form := c.r.PostForm
	if before := form.Get("before"); before != "" { // what the last card has paid was handed out: the seller has gone on
		if _, err := cashier.Capture(c.r.Context(), k, wire.Resolve{Grant: before}); err != nil && !errors.Is(err, kiosk.ErrCode) {
			return c.kioskProblem(err)
		}
	}
	p := c.tillPage(k, form)
	t := wire.Tap{ID: c.fields.ID, Product: form.Get("product"), Price: form.Get("price"), Again: form.Get("again") != "", PINPad: true}
	if age := c.app.now().Sub(t.ID.Time()); age > tillTap || age < 0 {
		t.ID = c.app.newID()
	}
	if state := form.Get("state"); state != "" {
		t.Answer = &wire.Answer{State: state, PIN: wire.PIN(form.Get("pin"))}
	} else if t.Card, err = typedCard(form.Get("card"), p.Format); err != nil {
		p.Notice = &page.Notice{Error: true, Key: page.TillCard}
		writePage(c.w, http.StatusUnprocessableEntity, p)
		return nil
	}
	v, err := cashier.Tap(c.r.Context(), k, t)
	if err != nil {
		return c.kioskProblem(err)
	}
	p.Result = c.tillResult(p.Lang, v)
	if v.Outcome == wire.Asked {
		p.Tap = t.ID.String()
	}
	writePage(c.w, http.StatusOK, p)
	return nil
}

// typedCard is what a reader has typed: the address with a card's message, or its number.
func typedCard(text, format string) (shown wire.Card, err error) {
	if text = strings.TrimSpace(text); len(text) > mostCard {
		return shown, uid.ErrLength
	}
	if shown, is := wire.AtAddress(text); is {
		return shown, nil
	}
	shown.UID, err = uid.Format(format).Parse(text)
	return shown, err
}

// tillResult says what has become of a tap.
func (c *call) tillResult(lang string, v wire.Verdict) *page.TillResult {
	kind := words.Refused
	r := page.TillResult{Again: v.Reason == wire.JustPaid}
	switch v.Outcome {
	case wire.Granted:
		kind, r.Grant = words.Paid, v.Grant
	case wire.Unknown:
		kind = words.Unclaimed
		scheme := "http://"
		if secure(c.r) {
			scheme = "https://"
		}
		r.Claim = claimPath(v.Claim)
		if code, err := qr.Encode(scheme+c.r.Host+r.Claim, qr.M); err == nil {
			code.Scale = max(1, mostPicture/(code.Size+quietZone))
			r.Picture = "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())
		}
	case wire.Asked:
		r.Ask, r.Wrong, r.Title, r.Text = v.Ask.State, v.Ask.Wrong, words.Text(lang, "pin"), words.Text(lang, "pin_why")
		if r.Wrong {
			r.Text = words.Text(lang, "pin_again")
		}
		return &r
	}
	w := words.Of(lang, kind, v.Reason)
	r.Title, r.Text, r.Good = w.Title, w.Text, words.Good(kind, v.Reason)
	return &r
}

// doneTill serves POST /.paywall/till/done: the product was handed out, or not.
func (c *call) doneTill() error {
	k, cashier, err := c.till()
	if err != nil {
		return err
	}
	form := c.r.PostForm
	do, notice := cashier.Capture, page.TillTaken
	if form.Get("how") != "handed" {
		do, notice = cashier.Release, page.TillBack
	}
	r, err := do(c.r.Context(), k, wire.Resolve{Grant: form.Get("grant")})
	if err != nil {
		return c.kioskProblem(err)
	}
	if r.Outcome == kiosk.Expired {
		notice = page.TillLate
	}
	back := url.Values{"format": {form.Get("format")}, "lang": {page.Language(c.r)}, "product": {form.Get("product")}}
	return c.done(http.StatusOK, r, page.TillPath+"?"+back.Encode(), notice)
}

// leaveTill serves POST /.paywall/till/leave: the browser is a till no longer.
func (c *call) leaveTill() error {
	cashier, err := c.tillCashier()
	if err != nil {
		return err
	}
	if err := cashier.LeaveTill(c.r.Context(), c.tillOf()); err != nil {
		return c.kioskProblem(err)
	}
	c.setTill("", -time.Second)
	return c.done(http.StatusOK, struct{}{}, page.TillPath, "")
}
