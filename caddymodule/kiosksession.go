package caddymodule

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A tap can sign a kiosk's browser in: for some pages, for a time, and with nothing that
// spends. The kiosk's own page has the browser post a code, the browser gets a cookie for
// it, and each request for such a page asks the ledger once whether it is over yet, so that
// it ends everywhere at once.

// signedOutStays is how long the kiosk's browser shows that it is signed out.
const signedOutStays = 5 * time.Second

// byCard is the settlement of what a card has paid for in the browser that asks: pages for
// a time at a kiosk, or this page on a phone. It is nil where none has, and costs nothing
// where there is no such cookie. What sends a token means to pay by it.
func (s *sale) byCard() (settlement, error) {
	if s.app.Kiosks == nil || len(presented(s.r)["Cookie"]) == 0 {
		return nil, nil
	}
	session, pass := sessionOf(s.r), passOf(s.r)
	if session == "" && pass == "" {
		return nil, nil
	}
	if token, err := bearerToken(presented(s.r)); token != "" || err != nil {
		return nil, nil //nolint:nilerr // identify says what is wrong with it
	}
	if session != "" {
		if open, err := s.opened(session); open || err != nil {
			return s.settleSession, err
		}
	}
	if pass != "" {
		if paid, err := s.passed(); paid || err != nil {
			return s.settleRead, err
		}
	}
	return nil, nil
}

// opened reports whether a card has opened the page in the kiosk's browser that asks.
func (s *sale) opened(cookie string) (bool, error) {
	is, err := s.app.cashier(s.keys, s.ledger).OpenSession(s.settling(), cookie, siteOf(s.r))
	switch {
	case errors.Is(err, wallet.ErrNotFound):
		return false, nil
	case err != nil:
		return false, s.app.down("asking the ledger for a kiosk's browser", err)
	}
	return is.Live(s.app.now()) && s.app.Kiosks.Products[is.Product].Opens.covers(s.r), nil
}

// settleSession lets through what a card has opened. Nothing of it stays in the browser,
// which is everybody's.
func (s *sale) settleSession(_ int, header http.Header) func(http.ResponseWriter) {
	header["Cache-Control"] = []string{"private, no-store"}
	s.became(outcomeGranted)
	return nil
}

// mustBeOurs is the problem of a page for which there is no kiosk, or that another origin
// asks for: what the cookies of kiosks' browsers, tills and phones open is for this site's
// own pages, and no script of another one reads it.
func (c *call) mustBeOurs() error {
	switch {
	case c.app.Kiosks == nil:
		return problem{status: http.StatusNotFound, key: page.NotFound}
	case c.foreign:
		return problem{status: http.StatusForbidden, key: page.CrossSite}
	}
	return nil
}

// sessionOf is the cookie of a request's session; empty: it has none.
func sessionOf(r *http.Request) string {
	for value := range cookieValues(r, cookieName(r, sessionCookie)) {
		return value
	}
	return ""
}

func siteOf(r *http.Request) string { return strings.ToLower(r.Host) }

// beginSession serves POST /.paywall/session/begin, which a browser sends from the kiosk's
// own page. So it is taken from any page: whoever has a stranger's browser post a code of
// theirs has paid for what that shows, and can see nothing of it.
func (c *call) beginSession() error {
	if c.app.Kiosks == nil {
		return problem{status: http.StatusNotFound, key: page.NotFound}
	}
	if err := c.readFields(); err != nil {
		return err
	}
	screen := loopbackPage(c.fields.Return)
	s, cookie, err := c.app.cashier(c.keys, c.ledger).Begin(c.r.Context(), c.fields.Code, siteOf(c.r), screen)
	switch {
	case errors.Is(err, kiosk.ErrCode), errors.Is(err, kiosk.ErrDisabled):
		if err := c.app.unpaid(c.r, nil); err != nil {
			return err
		}
		c.toSession(url.Values{"over": {"1"}, "next": {screen}}) // where a browser that has sent it twice has its session
		return nil
	case err != nil:
		return c.kioskProblem(err)
	}
	setCookie(c.w, c.r, sessionCookie, cookie, time.UnixMilli(s.Until).Sub(c.app.now())+signedOutStays)
	c.toSession(url.Values{})
	return nil
}

// toSession leads on to the session's page in the language of the request.
func (c *call) toSession(with url.Values) {
	with.Set("lang", page.Language(c.r))
	c.redirect(page.SessionPath + "?" + with.Encode())
}

// loopbackPage is the address of the kiosk's own page, or nothing: a code must not lead a
// browser to another site.
func loopbackPage(text string) string {
	const most = 100
	u, err := url.Parse(text)
	if err != nil || len(text) > most || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return ""
	}
	if host := u.Hostname(); host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/"
}

// sessionJSON is what the page's script asks for.
type sessionJSON struct {
	Live bool `json:"live"`
}

// showSession serves GET /.paywall/session: the bar and the pages, or that they are over.
func (c *call) showSession() error {
	if err := c.mustBeOurs(); err != nil {
		return err
	}
	addVary(c.w.Header(), "Accept", "Accept-Language", "Cookie")
	cashier := c.app.cashier(c.keys, c.ledger)
	s, err := cashier.OpenSession(c.r.Context(), sessionOf(c.r), siteOf(c.r))
	if err != nil && !errors.Is(err, wallet.ErrNotFound) {
		return c.app.down("asking the ledger for a kiosk's browser", err)
	}
	now, opens := c.app.now(), c.app.Kiosks.Products[s.Product].Opens
	live := err == nil && s.Live(now) && opens != nil
	switch {
	case c.form() != asHTML:
		writeJSON(c.w, http.StatusOK, "application/json", sessionJSON{live})
		return nil
	case !live:
		c.showSignedOut(s.Screen)
		return nil
	}
	if !s.Seen && !speculative(c.r.Header) {
		if err := cashier.See(c.r.Context(), s.ID); err != nil {
			return c.app.down("noting that a kiosk's browser has come", err)
		}
	}
	until := time.UnixMilli(s.Until)
	writePage(c.w, http.StatusOK, page.Session{Frame: c.app.frame(c.r), Until: until, Left: until.Sub(now), Start: opens.Start})
	return nil
}

// showSignedOut answers with the page that says so, which leads back to the kiosk's own.
func (c *call) showSignedOut(screen string) {
	asked := c.r.URL.Query()
	if screen == "" {
		screen = loopbackPage(asked.Get("next"))
	}
	p := page.SignedOut{Frame: c.app.frame(c.r), Next: screen}
	p.Path = page.SessionPath // without what led here
	if asked.Get("over") != "" {
		p.Notice = &page.Notice{Error: true, Key: page.SessionCode}
	}
	if screen != "" {
		c.w.Header().Set("Refresh", strconv.Itoa(int(signedOutStays/time.Second))+"; url="+screen)
	}
	writePage(c.w, http.StatusOK, p)
}

// endSession serves POST /.paywall/session/end: whoever reads has had enough.
func (c *call) endSession() error {
	if err := c.mustBeOurs(); err != nil {
		return err
	}
	cashier := c.app.cashier(c.keys, c.ledger)
	s, err := cashier.OpenSession(c.r.Context(), sessionOf(c.r), siteOf(c.r))
	if err == nil {
		err = cashier.End(c.r.Context(), s.ID)
	}
	if err != nil && !errors.Is(err, wallet.ErrNotFound) {
		return c.kioskProblem(err)
	}
	c.toSession(url.Values{})
	return nil
}
