package caddymodule

import (
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// presentedVar is the request variable that keeps what strip has removed.
const presentedVar = "paywall.presented"

// presentation is the header fields that held a client's credentials. It is a
// function so that nothing that prints a request's variables prints them.
type presentation func() http.Header

// presented is the header fields in which a client's credentials are: the
// request's own or, once they are hidden from what comes after, those that were.
func presented(r *http.Request) http.Header {
	if kept, ok := caddyhttp.GetVar(r.Context(), presentedVar).(presentation); ok {
		return kept()
	}
	return r.Header
}

// hide removes the wallet's credentials from a request that goes on to what may
// be an upstream, and keeps them for a price that may come before it. cred is
// the credential, where it is known.
func hide(r *http.Request, cred *credential) {
	if caddyhttp.GetVar(r.Context(), presentedVar) == nil {
		authorization, cookie := r.Header["Authorization"], r.Header["Cookie"]
		caddyhttp.SetVar(r.Context(), presentedVar, presentation(func() http.Header {
			return http.Header{"Authorization": authorization, "Cookie": cookie}
		}))
	}
	strip(r.Header, cred)
	dropReservedTrailers(r)
}

// hideFree is hide for a page without a price, once however many lines a site
// has. A token that is not ours is the site's own business.
func (a *App) hideFree(r *http.Request) {
	if caddyhttp.GetVar(r.Context(), presentedVar) != nil {
		return
	}
	if r.Header["Authorization"] == nil && r.Header["Cookie"] == nil {
		strip(r.Header, nil)
		dropReservedTrailers(r)
		return
	}
	var cred *credential
	if token, err := bearerToken(r.Header); err == nil && token != "" {
		if k, err := a.open(); err == nil {
			_, err := k.ring.Verify(token, a.now())
			cred = &credential{bearer: err == nil}
		}
	}
	hide(r, cred)
}

// strip removes the wallet's credentials from what the upstream sees: with
// them it could spend. It also removes what only the paywall may say.
func strip(h http.Header, cred *credential) {
	dropReserved(h)
	if cred != nil && cred.bearer {
		h.Del("Authorization")
	}
	lines := h["Cookie"]
	if len(lines) == 0 {
		return
	}
	var kept []string
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			if pair = strings.TrimSpace(pair); pair != "" && !ownCookie(pair) {
				kept = append(kept, pair)
			}
		}
	}
	if len(kept) == 0 {
		h.Del("Cookie")
		return
	}
	h["Cookie"] = []string{strings.Join(kept, "; ")}
}

func ownCookie(pair string) bool {
	name, _, _ := strings.Cut(pair, "=")
	name = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(name), hostPrefix), securePrefix)
	switch name {
	case tokenCookie, receiptCookie, recoveryCookie, noticeCookie, sessionCookie, wantCookie, passCookie, tillCookie:
		return true
	}
	return false
}
