package kiosk

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A till is a kiosk that is a browser: somebody sells with it, and hands out. It is enrolled
// with a code like any other, and shows a secret, of which the ledger has the digest, in the
// place of a key.

// EnrolTill makes a browser the kiosk that a code is for, and returns what the browser keeps
// and shows with each request. A kiosk that had the name before is none any more. A browser
// issues no cards, whatever the code is for. ErrCode.
func (c *Cashier) EnrolTill(ctx context.Context, code string) (cookie string, err error) {
	given, err := c.useCode(ctx, code)
	if err != nil {
		return "", err
	}
	secret, err := c.newSecret()
	if err != nil {
		return "", err
	}
	return given.Kiosk + "." + secret, c.enrolled(ctx, given.Kiosk, Kiosk{Till: digestOf(secret)})
}

// OpenTill finds whose a browser is. ErrUnauthorized where it is none's, or another machine
// has its name now; ErrDisabled.
func (c *Cashier) OpenTill(ctx context.Context, cookie string) (Kiosk, error) {
	name, secret, err := readTill(cookie)
	if err != nil {
		return Kiosk{}, err
	}
	k, _, err := load[Kiosk](ctx, c, kioskPrefix+name)
	if errors.Is(err, wallet.ErrNotFound) {
		return k, errNoTill
	}
	k.Name = name
	if err == nil {
		err = k.mayShow(secret)
	}
	return k, err
}

// UseTill is OpenTill for what counts: it notes when the till was seen last, and its taps.
func (c *Cashier) UseTill(ctx context.Context, cookie string) (Kiosk, error) {
	name, secret, err := readTill(cookie)
	if err != nil {
		return Kiosk{}, err
	}
	notes := 0
	k, err := update(ctx, c, kioskPrefix+name, func(k *Kiosk) error {
		if err := k.mayShow(secret); err != nil {
			return err
		}
		k.Seen = c.Now().UnixMilli()
		k.Taps, notes = c.Notes.with(name, k.Taps)
		return nil
	})
	switch {
	case errors.Is(err, wallet.ErrNotFound):
		err = errNoTill
	case err == nil && notes > 0:
		c.Notes.written(name, notes)
	}
	k.Name = name
	return k, err
}

// LeaveTill has a browser be a kiosk no longer. Again it changes nothing.
func (c *Cashier) LeaveTill(ctx context.Context, cookie string) error {
	name, secret, err := readTill(cookie)
	if err != nil {
		return nil //nolint:nilerr // it is none
	}
	_, err = update(ctx, c, kioskPrefix+name, func(k *Kiosk) error {
		if errors.Is(k.mayShow(secret), ErrUnauthorized) {
			return errKeep
		}
		k.Till = nil
		return nil
	})
	if errors.Is(err, wallet.ErrNotFound) {
		err = nil
	}
	return err
}

var errNoTill = fmt.Errorf("%w: there is no such till", ErrUnauthorized)

func readTill(cookie string) (name, secret string, err error) {
	name, secret, _ = strings.Cut(cookie, ".")
	if name == "" || len(name) > mostName || secret == "" || len(secret) > 2*secretSize {
		err = errNoTill
	}
	return name, secret, err
}

func (k *Kiosk) mayShow(secret string) error {
	switch {
	case subtle.ConstantTimeCompare(digestOf(secret), k.Till) != 1:
		return errNoTill
	case k.Disabled:
		return ErrDisabled
	}
	return nil
}
