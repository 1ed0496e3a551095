package caddymodule

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/kioskapi"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// kioskKeys are derived from the paywall's secret: whoever loses it loses the cards that
// were made with it.
func kioskKeys(secret wallet.Secret) (kiosk.Keys, error) {
	key := func(label string) [wallet.TagSize]byte { return secret.Derive("kiosk " + label).Sign([]byte("key")) }
	sealing, uids, cards, handles := key("seal"), key("uid"), key("card"), key("handle")
	block, err := aes.NewCipher(sealing[:])
	if err != nil {
		return kiosk.Keys{}, err
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return kiosk.Keys{}, err
	}
	return kiosk.Keys{
		Codes: secret.Derive("kiosk code"), PINs: secret.Derive("kiosk pin"), UIDs: uids[:], Cards: card.Key(cards[:len(card.Key{})]),
		Seal: seal, Handles: handles[:],
	}, nil
}

// tapNotes are the last taps of kiosks. They are global because a reload must not lose
// them.
var tapNotes kiosk.Notes

// cashier judges for kiosks and for those who have cards.
func (a *App) cashier(k *keys, ledger wallet.Ledger) *kiosk.Cashier {
	return &kiosk.Cashier{
		Ledger: ledger, Keys: k.kiosks, Products: a.Kiosks.products, Limits: a.Kiosks.limits, Terms: a.Kiosks.terms, Currency: a.currency,
		Hold: time.Duration(a.Kiosks.Hold), Guard: time.Duration(a.Kiosks.Guard), ShowBalance: a.Kiosks.ShowBalance, Offline: a.Kiosks.offline,
		Now: a.now, Random: a.random, Notes: &tapNotes, Judged: tapMetrics.judged, Ended: tapMetrics.ended,
	}
}

// kioskCall is one request of a kiosk.
type kioskCall struct {
	*call
	*kiosk.Cashier
	from  kiosk.Kiosk
	body  []byte
	begun time.Time // when the body was read
}

// asKiosk has a request served for the kiosk that it proves to be of.
func asKiosk(serve func(*kioskCall) (any, error)) func(*call) error {
	return func(c *call) error {
		k, err := c.readKiosk()
		if err != nil {
			return err
		}
		token := strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")
		request := wire.Request{Site: strings.ToLower(c.r.Host), Path: c.r.URL.Path, Body: k.body}
		if k.from, err = k.Authenticate(c.r.Context(), token, request); err != nil {
			return c.kioskProblem(err)
		}
		return k.answer(serve(k))
	}
}

func (c *call) readKiosk() (*kioskCall, error) {
	if c.app.Kiosks == nil {
		return nil, problem{status: http.StatusNotFound, key: page.NotFound}
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, wire.MaxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, problem{status: http.StatusRequestEntityTooLarge, key: page.TooLarge}
	}
	if err != nil {
		return nil, badRequest("the body ended early")
	}
	return &kioskCall{call: c, Cashier: c.app.cashier(c.keys, c.ledger), body: body, begun: time.Now()}, nil
}

func (k *kioskCall) answer(answer any, err error) error {
	if err != nil {
		return k.kioskProblem(err)
	}
	writeJSON(k.w, http.StatusOK, "application/json", answer)
	return nil
}

// kioskProblem is what a kiosk is told of an error.
func (c *call) kioskProblem(err error) error {
	p := problem{key: page.BadRequest, detail: err.Error()}
	switch {
	case errors.As(err, &problem{}):
		return err
	case errors.Is(err, kiosk.ErrUnauthorized):
		p.status = http.StatusUnauthorized
	case errors.Is(err, kiosk.ErrDisabled), errors.Is(err, kiosk.ErrNotIssuer):
		p.status = http.StatusForbidden
	case errors.Is(err, kiosk.ErrCode), errors.Is(err, kiosk.ErrRecord):
		p.status = http.StatusUnprocessableEntity
	case errors.Is(err, kiosk.ErrInvalid):
		p.status = http.StatusBadRequest
	case errors.Is(err, wallet.ErrNotFound):
		p = problem{status: http.StatusNotFound, key: page.NotFound}
	default:
		return c.app.down("asking the ledger for a kiosk", err)
	}
	return p
}

// kioskAPI serves GET /.paywall/kiosk/openapi.json: what kiosks can ask for.
func (c *call) kioskAPI() error {
	if c.app.Kiosks == nil {
		return problem{status: http.StatusNotFound, key: page.NotFound}
	}
	c.public()
	writeBody(c.w, http.StatusOK, "application/vnd.oai.openapi+json;version=3.1", kioskapi.Document)
	return nil
}

// enrolKiosk serves POST /.paywall/kiosk/enrol.
func (c *call) enrolKiosk() error {
	k, err := c.readKiosk()
	if err != nil {
		return err
	}
	if wait, ok := c.app.limits.wrongCodes.take(c.address(), c.app.now()); !ok {
		return tooMany(wait)
	}
	var e wire.Enrol
	if err := readJSON(strings.NewReader(string(k.body)), &e); err != nil {
		return err
	}
	return k.answer(k.Enrol(c.r.Context(), e))
}

func kioskInput[T any](k *kioskCall) (input T, err error) {
	return input, readJSON(strings.NewReader(string(k.body)), &input)
}

// kioskState serves POST /.paywall/kiosk/state.
func (k *kioskCall) kioskState() (any, error) {
	state, err := kioskInput[wire.State](k)
	if err != nil {
		return nil, err
	}
	return k.Report(k.r.Context(), k.from, state)
}

// kioskTap serves POST /.paywall/kiosk/tap.
func (k *kioskCall) kioskTap() (any, error) {
	tap, err := kioskInput[wire.Tap](k)
	if err != nil {
		return nil, err
	}
	verdict, err := k.Tap(k.r.Context(), k.from, tap)
	tapMetrics.seconds.Observe(time.Since(k.begun).Seconds())
	return verdict, err
}

// kioskCard serves POST /.paywall/kiosk/card.
func (k *kioskCall) kioskCard() (any, error) {
	asked, err := kioskInput[wire.Issue](k)
	if err != nil {
		return nil, err
	}
	scheme := "http://"
	if secure(k.r) {
		scheme = "https://"
	}
	return k.Issue(k.r.Context(), k.from, asked, scheme+siteOf(k.r)+wire.TapURLPath)
}

// kioskCapture serves POST /.paywall/kiosk/capture.
func (k *kioskCall) kioskCapture() (any, error) {
	grant, err := kioskInput[wire.Resolve](k)
	if err != nil {
		return nil, err
	}
	return k.Capture(k.r.Context(), k.from, grant)
}

// kioskRelease serves POST /.paywall/kiosk/release.
func (k *kioskCall) kioskRelease() (any, error) {
	grant, err := kioskInput[wire.Resolve](k)
	if err != nil {
		return nil, err
	}
	return k.Release(k.r.Context(), k.from, grant)
}

// kioskSession serves POST /.paywall/kiosk/session.
func (k *kioskCall) kioskSession() (any, error) {
	asked, err := kioskInput[wire.Session](k)
	if err != nil {
		return nil, err
	}
	return k.AskSession(k.r.Context(), k.from, asked)
}

// kioskLeave serves POST /.paywall/kiosk/leave.
func (k *kioskCall) kioskLeave() (any, error) {
	gone, err := kioskInput[wire.Leave](k)
	if err != nil {
		return nil, err
	}
	return k.Leave(k.r.Context(), k.from, gone)
}

// kioskLease serves POST /.paywall/kiosk/lease.
func (k *kioskCall) kioskLease() (any, error) {
	asked, err := kioskInput[wire.LeaseRequest](k)
	if err != nil {
		return nil, err
	}
	return k.Lease(k.r.Context(), k.from, asked)
}

// kioskSync serves POST /.paywall/kiosk/sync.
func (k *kioskCall) kioskSync() (any, error) {
	records, err := kioskInput[wire.Sync](k)
	if err != nil {
		return nil, err
	}
	return k.Sync(k.r.Context(), k.from, records)
}
