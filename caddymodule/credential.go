package caddymodule

import (
	"errors"
	"net/http"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// credential is who asks: a wallet token, and how it came.
type credential struct {
	wallet.Claims
	bearer bool // in Authorization: the sender means to pay with it
}

// credentialOf finds and verifies the wallet token of a request. It is nil
// where there is none, or only a cookie that opens nothing any more: a reader
// with an old cookie is a reader without a wallet. Anything wrong with a token
// that was sent on purpose is a problem for its sender to hear of.
func (a *App) credentialOf(k *keys, r *http.Request) (*credential, error) {
	if err := a.refuseQueryToken(k, r); err != nil {
		return nil, err
	}
	token, err := bearerToken(presented(r))
	if err != nil {
		return nil, err
	}
	if token != "" {
		claims, err := a.verify(k, r, token)
		switch {
		case err == nil:
			return &credential{claims, true}, nil
		case problemIn(err) != nil:
			return nil, err
		}
		return nil, problem{status: http.StatusUnauthorized, key: page.BadRequest, detail: err.Error()}
	}
	token, err = cookieToken(r)
	if err != nil || token == "" {
		return nil, err
	}
	claims, err := a.verify(k, r, token)
	switch {
	case err == nil:
		return &credential{claims, false}, nil
	case problemIn(err) != nil:
		return nil, err
	}
	return nil, nil
}

// bearerToken is the token of the Authorization header. Other schemes are the
// site's own business. Two values could mean one thing here and another at the
// upstream, so they are refused.
func bearerToken(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) > 1 {
		return "", badRequest("send one Authorization header")
	}
	if len(values) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", badRequest("the Authorization header names no token")
	}
	return token, nil
}

func cookieToken(r *http.Request) (token string, err error) {
	for value := range cookieValues(r, cookieName(r, tokenCookie)) {
		if token != "" {
			return "", badRequest("send one wallet cookie")
		}
		token = value
	}
	return token, nil
}

// refuseQueryToken tells a sender who put a token into the URL that it has
// leaked: URLs are logged, bookmarked and sent on in Referer. Parameters that
// are not a token of ours are the site's own.
func (a *App) refuseQueryToken(k *keys, r *http.Request) error {
	if !strings.Contains(r.URL.RawQuery, "eyJ") { // how every JWT begins
		return nil
	}
	looked := 0
	for _, values := range r.URL.Query() {
		for _, value := range values {
			if len(value) > wallet.MaxToken || !strings.HasPrefix(value, "eyJ") {
				continue
			}
			if looked++; looked > maxQueryTokens {
				return nil
			}
			_, err := a.verify(k, r, value)
			switch {
			case err == nil || errors.Is(err, wallet.ErrTokenExpired):
				return badRequest("a wallet token does not belong in a URL, where it is logged: " +
					"send it as Authorization: Bearer, and sign out everywhere else, as this one has leaked")
			case problemIn(err) != nil:
				return err
			}
		}
	}
	return nil
}
