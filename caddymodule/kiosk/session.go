package kiosk

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const sessionPrefix = "session:"

// Session is what a browser may see for the tap of a card, and until when. Who has its
// secret can see these pages, and nothing else: it is no wallet's.
type Session struct {
	ID      wallet.OpID `json:"-"` // of the hold that has paid for it
	Kiosk   string      `json:"kiosk"`
	Product string      `json:"product"`
	Site    string      `json:"site"`  // the host that it was begun at, and is good at
	Until   int64       `json:"until"` // milliseconds since 1970
	Secret  []byte      `json:"secret"`
	Seen    bool        `json:"seen,omitempty"` // the browser has come back with the secret
	Ended   bool        `json:"ended,omitempty"`
	Screen  string      `json:"screen,omitempty"` // where the browser goes when it is over
}

// Live reports whether it still opens anything.
func (s Session) Live(now time.Time) bool { return !s.Ended && now.UnixMilli() < s.Until }

// sessionKept is for how long a session that is over is remembered, so that the browser is
// told so. Nothing can begin it again then: a code ends with the time that it has bought.
const sessionKept = 10 * time.Minute

func sessionOf(id wallet.OpID) string { return sessionPrefix + id.String() }

// Begin turns the code that a kiosk has shown to its browser into a session, and returns the
// secret that the browser keeps. The money is taken first, in which the ledger decides
// between this and a kiosk that gives it back. A code is good until the browser has come
// back with the secret, so that an answer which is lost costs nobody anything. ErrCode,
// ErrDisabled.
func (c *Cashier) Begin(ctx context.Context, code, site, screen string) (s Session, secret string, err error) {
	name, sealed, _ := strings.Cut(code, ".")
	g, err := c.openGrant(sealed, name)
	if err != nil {
		return s, "", err
	}
	opens := c.Products[g.Product].Opens
	s = Session{
		ID: g.Hold, Kiosk: name, Product: g.Product, Site: site, Screen: screen,
		Until: time.UnixMilli(g.Time).Add(opens).UnixMilli(),
	}
	if opens == 0 || !s.Live(c.Now()) {
		return s, "", ErrCode
	}
	if err := c.mayBegin(ctx, name); err != nil {
		return s, "", err
	}
	if taken, err := c.capture(ctx, Kiosk{Name: name}, g); err != nil {
		return s, "", err
	} else if taken.Outcome != Captured {
		return s, "", ErrCode // the kiosk has given the money back
	}
	if secret, err = c.newSecret(); err != nil {
		return s, "", err
	}
	s.Secret = digestOf(secret)
	if err := c.forgetSessions(ctx); err != nil {
		return s, "", err
	}
	return s, s.cookie(secret), c.begin(ctx, s)
}

// mayBegin is ErrDisabled where the kiosk is.
func (c *Cashier) mayBegin(ctx context.Context, name string) error {
	k, _, err := load[Kiosk](ctx, c, kioskPrefix+name)
	switch {
	case errors.Is(err, wallet.ErrNotFound):
		return ErrCode
	case err == nil && k.Disabled:
		return ErrDisabled
	}
	return err
}

// begin writes a session down, once.
func (c *Cashier) begin(ctx context.Context, s Session) error {
	for range tries {
		before, put, err := load[Session](ctx, c, sessionOf(s.ID))
		switch {
		case err != nil && !errors.Is(err, wallet.ErrNotFound):
			return err
		case before.Seen || before.Ended:
			return ErrCode
		}
		if err := c.save(ctx, sessionOf(s.ID), put, s); !errors.Is(err, errChanged) {
			return err
		}
	}
	return ErrBusy
}

const secretSize = 32

func (c *Cashier) newSecret() (string, error) {
	drawn := make([]byte, secretSize)
	_, err := io.ReadFull(c.Random, drawn)
	return base64.RawURLEncoding.EncodeToString(drawn), err
}

func digestOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// cookie is what the browser keeps: which session it is, and the secret.
func (s Session) cookie(secret string) string { return hex.EncodeToString(s.ID[:]) + "." + secret }

// OpenSession is the session of a browser at a site, be it over or not. It reads the ledger
// once. wallet.ErrNotFound where there is none, or the secret is not its.
func (c *Cashier) OpenSession(ctx context.Context, cookie, site string) (s Session, err error) {
	name, secret, _ := strings.Cut(cookie, ".")
	raw, err := hex.DecodeString(name)
	if err != nil || len(raw) != len(s.ID) || len(secret) > 2*secretSize {
		return s, wallet.ErrNotFound
	}
	id := wallet.OpID(raw)
	if s, _, err = load[Session](ctx, c, sessionOf(id)); err != nil {
		return Session{}, err
	}
	if s.Site != site || subtle.ConstantTimeCompare(digestOf(secret), s.Secret) != 1 {
		return Session{}, wallet.ErrNotFound
	}
	s.ID = id
	return s, nil
}

// See notes that the browser has its session: the code is good for no other then.
func (c *Cashier) See(ctx context.Context, id wallet.OpID) error {
	return c.changeSession(ctx, id, func(s *Session) *bool { return &s.Seen })
}

// End ends a session at once, wherever it is used. Again it changes nothing.
func (c *Cashier) End(ctx context.Context, id wallet.OpID) error {
	return c.changeSession(ctx, id, func(s *Session) *bool { return &s.Ended })
}

func (c *Cashier) changeSession(ctx context.Context, id wallet.OpID, flag func(*Session) *bool) error {
	_, err := update(ctx, c, sessionOf(id), func(s *Session) error {
		if *flag(s) {
			return errKeep
		}
		*flag(s) = true
		return nil
	})
	if errors.Is(err, wallet.ErrNotFound) {
		err = nil // it is forgotten, and so over
	}
	return err
}

// forgetSessions removes what has been over for long enough. One page at a time does, as
// they are in the order of their time, or of the shards.
func (c *Cashier) forgetSessions(ctx context.Context) error {
	page, _, err := c.Ledger.Registers(ctx, sessionPrefix, "", wallet.MaxPage)
	if err != nil {
		return err
	}
	over := c.Now().Add(-sessionKept).UnixMilli()
	for _, r := range page {
		var s Session
		if json.Unmarshal([]byte(r.Value), &s) == nil && s.Until > over {
			continue
		}
		if err := c.save(ctx, r.Name, r.Put, nil); err != nil && !errors.Is(err, errChanged) {
			return err
		}
	}
	return nil
}
