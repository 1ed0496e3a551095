package caddymodule

import (
	"net/http"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/kiosk"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A page that a card has paid for on a phone is read with a pass: a cookie for its path. It
// is looked at in the ledger until the page has been delivered; from then on the phone has a
// receipt, as every reader who has paid.

const maxPasses = 4 // looked at in one request: those of the paths above come along

// passed reports whether a pass is for the page, and the page is paid for.
func (s *sale) passed() (bool, error) {
	cashier, looked := s.app.cashier(s.keys, s.ledger), 0
	for value := range cookieValues(s.r, passName(s.r)) {
		if looked++; looked > maxPasses {
			break
		}
		p, ok := cashier.OpenPass(value, s.resource)
		if !ok {
			continue
		}
		standing, err := s.ledger.Standing(s.settling(), wallet.StandingQuery{
			Wallet: p.Wallet, Generation: p.Generation, Rule: s.rule.Name, Resource: s.resource,
		})
		if err != nil {
			return false, s.app.down("asking the ledger", err)
		}
		if standing.GrantedUntil.IsZero() {
			continue // the money has gone back
		}
		s.wallet, s.standing = p.Wallet, standing
		s.cred = &credential{Claims: wallet.Claims{Wallet: p.Wallet, Generation: p.Generation}}
		return true, nil
	}
	return false, nil
}

func passOf(r *http.Request) string {
	for value := range cookieValues(r, passName(r)) {
		return value
	}
	return ""
}

func passName(r *http.Request) string {
	if secure(r) {
		return securePrefix + passCookie
	}
	return passCookie
}

// givePass sets a pass's cookie, for the page that back is.
func (c *call) givePass(cashier *kiosk.Cashier, from kiosk.Payer, resource, back string) error {
	sealed, err := cashier.SealPass(from, resource)
	if err != nil {
		return err
	}
	path, _, _ := strings.Cut(back, "?")
	if len(path) > maxReceiptPath {
		path = "/"
	}
	http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // Secure wherever the client speaks TLS
		Name: passName(c.r), Value: sealed, Path: path, MaxAge: int(from.Until.Sub(c.app.now()) / time.Second),
		Secure: secure(c.r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return nil
}
