package caddymodule

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	pricesPath  = prefix + "prices"
	keysPath    = prefix + "jwks.json"
	walletsPath = prefix + "wallets"
	entriesPath = prefix + "wallet/entries"
)

// endpoints is everything below /.paywall/. The same handlers serve forms and
// JSON. What is for everybody does not look at credentials, so that a bad one
// does not stand in its way.
var endpoints = map[string]struct {
	method   string
	serve    func(*call) error
	everyone bool
}{
	pricesPath:           {http.MethodGet, (*call).prices, true},
	keysPath:             {http.MethodGet, (*call).publicKeys, true},
	walletsPath:          {http.MethodPost, (*call).newWallet, false},
	page.WalletPath:      {http.MethodGet, (*call).showWallet, false},
	entriesPath:          {http.MethodGet, (*call).showWallet, false},
	page.NewRecoveryPath: {http.MethodPost, (*call).renewRecovery, false},
	page.RedeemPath:      {http.MethodPost, (*call).redeem, false},
	page.PayPath:         {http.MethodPost, (*call).pay, false},
	page.RecoverPath:     {http.MethodPost, (*call).recover, false},
}

// call is one request below /.paywall/.
type call struct {
	app    *App
	keys   *keys
	ledger lease
	w      http.ResponseWriter
	r      *http.Request
	cred   *credential // verified, but not yet compared with the ledger
	fields fields
}

// fields is what a form or a JSON body may say. Each endpoint reads its own.
type fields struct {
	Code     string      `json:"code"`
	Quote    string      `json:"quote"`
	Path     string      `json:"path"`
	Offer    string      `json:"offer"`
	Return   string      `json:"return"`
	MaxPrice string      `json:"max_price"`
	ID       wallet.OpID `json:"id"` // makes the call idempotent; drawn where absent
	Revoke   bool        `json:"revoke"`
}

// servePages answers a request below /.paywall/.
func (a *App) servePages(w http.ResponseWriter, r *http.Request) {
	c := &call{app: a, w: w, r: r}
	if probeOf(r.Context()) != nil {
		return // nothing here is for sale
	}
	w.Header().Set("Cache-Control", "no-store")
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

func (c *call) serve() (err error) {
	endpoint, ok := endpoints[c.r.URL.Path]
	if !ok {
		return problem{status: http.StatusNotFound, key: page.NotFound}
	}
	if method := c.r.Method; method != endpoint.method && (method != http.MethodHead || endpoint.method != http.MethodGet) {
		c.w.Header().Set("Allow", endpoint.method)
		return problem{status: http.StatusMethodNotAllowed, key: page.MethodNotAllowed}
	}
	if err := c.app.csrf.Check(c.r); err != nil {
		return problem{status: http.StatusForbidden, key: page.CrossSite}
	}
	if c.keys, err = c.app.open(); err != nil {
		return c.app.down("opening the paywall", err)
	}
	if endpoint.everyone {
		return endpoint.serve(c)
	}
	if c.ledger, err = c.app.lease(); err != nil {
		return c.app.down("opening the ledger", err)
	}
	defer c.ledger.release()
	if c.cred, err = c.app.credentialOf(c.keys, c.r); err != nil {
		return err
	}
	if endpoint.method == http.MethodPost {
		if err := c.readFields(); err != nil {
			return err
		}
	}
	return endpoint.serve(c)
}

// readFields reads the body: a form or JSON, by its media type.
func (c *call) readFields() error {
	body := http.MaxBytesReader(c.w, c.r.Body, maxBody)
	media, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	var err error
	switch {
	case media == "application/x-www-form-urlencoded":
		c.r.Body = body
		err = c.readForm()
	case media == "application/json", media == "" && c.r.ContentLength == 0:
		err = readJSON(body, &c.fields)
	default:
		return problem{
			status: http.StatusUnsupportedMediaType, key: page.BadRequest,
			detail: "send a form (application/x-www-form-urlencoded) or application/json",
		}
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return problem{status: http.StatusRequestEntityTooLarge, key: page.TooLarge}
	}
	return err
}

func (c *call) readForm() error {
	if err := c.r.ParseForm(); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return err
		}
		return badRequest("the form is malformed")
	}
	f := c.r.PostForm
	c.fields = fields{
		Code: f.Get("code"), Quote: f.Get("quote"), Path: f.Get("path"), Offer: f.Get("offer"),
		Return: f.Get("return"), MaxPrice: f.Get("max_price"), Revoke: f.Get("revoke") != "",
	}
	if id := f.Get("id"); id != "" {
		if err := c.fields.ID.UnmarshalText([]byte(id)); err != nil {
			return badRequest("id must be a UUID version 7")
		}
	}
	return nil
}

// readJSON reads one JSON object, or nothing. The decoder's own errors may
// quote a code, so they are not passed on.
func readJSON(body io.Reader, into any) error {
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return err
	}
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
	}
	return badRequest("the body must be one JSON object with the fields of this address, amounts and ids as strings")
}

// isPage reports whether the answer is for a person: who asked for HTML, or
// sent a form without saying what to answer.
func (c *call) isPage() bool {
	f := formOf(c.r.Header)
	return f == asHTML || f == asText && postedForm(c.r.Header)
}

// done answers a call that has taken effect: JSON, or a redirect to back with a
// notice.
func (c *call) done(status int, body any, back, notice string) error {
	if !c.isPage() {
		writeJSON(c.w, status, "application/json", body)
		return nil
	}
	if notice != "" {
		setNotice(c.w, c.r, notice)
	}
	c.redirect(back)
	return nil
}

// redirect leads on with a GET. The path is escaped as Location wants it.
func (c *call) redirect(back string) {
	http.Redirect(c.w, c.r, back, http.StatusSeeOther)
}

// fail answers a problem. A form that a person has filled in leads back to its
// page, which says what is wrong.
func (c *call) fail(err error) {
	var p problem
	if !errors.As(err, &p) {
		c.app.logger.Error("answering " + c.r.URL.Path + ": " + err.Error())
		p = errUnavailable
	}
	f := formOf(c.r.Header)
	if f == asHTML && c.r.Method == http.MethodPost && p.status != http.StatusForbidden && c.fields != (fields{}) {
		if p.status == http.StatusTooManyRequests || fieldOf[p.key] != "" || shownOnPage[p.key] {
			setNotice(c.w, c.r, p.key)
			c.redirect(c.back())
			return
		}
	}
	if f == asText {
		f = asJSON
	}
	p.write(c.w, c.r, f, c.app.frame(c.r))
}

// shownOnPage is the problems that the page that a reader came from can show.
var shownOnPage = map[string]bool{
	page.QuoteExpired: true, page.NotEnough: true, page.Frozen: true, page.NoWallet: true,
	page.PriceChanged: true, page.Conflict: true, page.Revoked: true,
}

// back is where a form leads to: the page it was on.
func (c *call) back() string { return localPath(c.fields.Return) }

// localPath is path if it is a path of this site, else the wallet page: a form
// field must not lead a reader to another site.
func localPath(path string) string {
	if len(path) == 0 || path[0] != '/' || len(path) > 1 && (path[1] == '/' || path[1] == '\\') ||
		strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return page.WalletPath
	}
	return path
}

// address is what the client is counted by in limits.
func (c *call) address() string {
	ip, _ := caddyhttp.GetVar(c.r.Context(), caddyhttp.ClientIPVarKey).(string)
	return addressKey(ip)
}

// mint makes a token for a wallet.
func (c *call) mint(id wallet.WalletID, generation uint32, maxPrice wallet.Amount) (string, error) {
	now := c.app.now()
	return c.keys.ring.Mint(wallet.Claims{
		Wallet: id, Generation: generation, MaxPrice: maxPrice,
		Issued: now, Expires: now.Add(time.Duration(c.app.TokenLifetime)),
	})
}

// frame is what every page of a request has around it.
func (a *App) frame(r *http.Request) page.Frame {
	frame := page.Frame{Lang: page.Language(r), Currency: a.currency, Path: page.WalletPath}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		frame.Path = originalURI(r)
	}
	return frame
}
