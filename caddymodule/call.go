package caddymodule

import (
	"context"
	"net/http"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	pricesPath  = prefix + "prices"
	keysPath    = prefix + "jwks.json"
	walletsPath = prefix + "wallets"
	entriesPath = prefix + "wallet/entries"

	kioskAPIPath = wire.Prefix + "openapi.json"
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
	page.CardsPath:       {http.MethodGet, (*call).showCards, false},
	page.AddCardPath:     {http.MethodPost, (*call).addCard, false},
	page.ChangeCardPath:  {http.MethodPost, (*call).changeCard, false},
	page.RemoveCardPath:  {http.MethodPost, (*call).removeCard, false},
	kioskAPIPath:         {http.MethodGet, (*call).kioskAPI, true},
	page.SessionPath:     {http.MethodGet, (*call).showSession, false},
	page.EndSessionPath:  {http.MethodPost, (*call).endSession, false},
	page.TapPath:         {http.MethodGet, (*call).showTap, false},
	page.WantTapPath:     {http.MethodPost, (*call).wantTap, false},
	page.PayTapPath:      {http.MethodPost, (*call).payTap, false},
	page.BlockTapPath:    {http.MethodPost, (*call).blockTap, false},
	page.TillPath:        {http.MethodGet, (*call).showTill, false},
	page.EnrolTillPath:   {http.MethodPost, (*call).enrolTill, false},
	page.TapTillPath:     {http.MethodPost, (*call).tapTill, false},
	page.DoneTillPath:    {http.MethodPost, (*call).doneTill, false},
	page.LeaveTillPath:   {http.MethodPost, (*call).leaveTill, false},
}

// kioskEndpoints is everything below /.paywall/kiosk/, all POST, and what a kiosk's browser
// posts from the kiosk's own page, which is of another origin. A kiosk has a token of its
// own, and no wallet's; its browser a code.
var kioskEndpoints = map[string]func(*call) error{
	wire.EnrolPath:   (*call).enrolKiosk,
	wire.StatePath:   asKiosk((*kioskCall).kioskState),
	wire.TapPath:     asKiosk((*kioskCall).kioskTap),
	wire.CardPath:    asKiosk((*kioskCall).kioskCard),
	wire.CapturePath: asKiosk((*kioskCall).kioskCapture),
	wire.ReleasePath: asKiosk((*kioskCall).kioskRelease),
	wire.LeasePath:   asKiosk((*kioskCall).kioskLease),
	wire.SyncPath:    asKiosk((*kioskCall).kioskSync),
	wire.SessionPath: asKiosk((*kioskCall).kioskSession),
	wire.LeavePath:   asKiosk((*kioskCall).kioskLeave),
	wire.BrowserPath: (*call).beginSession,
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

	foreign bool // sent by a browser for a page of another origin
}

// servePages answers a request below /.paywall/.
func (a *App) servePages(w http.ResponseWriter, r *http.Request) {
	c := &call{app: a, w: w, r: r, foreign: a.foreign(r)}
	if probeOf(r.Context()) != nil {
		return // nothing here is for sale
	}
	w.Header().Set("Cache-Control", "no-store")
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

func (c *call) serve() (err error) {
	if serve, ok := kioskEndpoints[c.r.URL.Path]; ok {
		return c.serveKiosk(serve)
	}
	endpoint, ok := endpoints[c.r.URL.Path]
	if c.foreign || endpoint.everyone {
		allowOthers(c.w.Header())
	}
	if intentOf(c.r) == preflight {
		c.answerPreflight()
		return nil
	}
	if !ok {
		return problem{status: http.StatusNotFound, key: page.NotFound}
	}
	if method := c.r.Method; method != endpoint.method && (method != http.MethodHead || endpoint.method != http.MethodGet) {
		c.w.Header().Set("Allow", endpoint.method)
		return problem{status: http.StatusMethodNotAllowed, key: page.MethodNotAllowed}
	}
	if err := c.mayAct(); err != nil {
		return err
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
	defer c.limitTime()()
	if c.cred, err = c.app.credentialOf(c.keys, c.r); err != nil {
		return err
	}
	if c.foreign && c.cred != nil && !c.cred.bearer {
		c.cred = nil // the cookie is not the asking page's to use
	}
	if endpoint.method == http.MethodPost {
		if err := c.readFields(); err != nil {
			return err
		}
	}
	return endpoint.serve(c)
}

// serveKiosk answers a kiosk, which is no browser.
func (c *call) serveKiosk(serve func(*call) error) (err error) {
	if c.r.Method != http.MethodPost {
		c.w.Header().Set("Allow", http.MethodPost)
		return problem{status: http.StatusMethodNotAllowed, key: page.MethodNotAllowed}
	}
	if c.keys, err = c.app.open(); err != nil {
		return c.app.down("opening the paywall", err)
	}
	if c.ledger, err = c.app.lease(); err != nil {
		return c.app.down("opening the ledger", err)
	}
	defer c.ledger.release()
	defer c.limitTime()()
	return serve(c)
}

// limitTime gives the call's request its time, and returns what ends it.
func (c *call) limitTime() context.CancelFunc {
	ctx, cancel := context.WithTimeout(c.r.Context(), settleTimeout)
	c.r = c.r.WithContext(ctx)
	return cancel
}

// address is whom the client is counted for in limits.
func (c *call) address() party { return partyAt(clientOf(c.r)) }

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
