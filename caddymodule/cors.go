package caddymodule

import (
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// Other origins (Fetch Standard §3.2). A script of any of them may read what
// the paywall answers to everybody, and pay with a token that it holds. It may
// use nothing that the reader's browser holds: no answer of the paywall allows
// credentials, a request for another origin is taken without its cookies, and
// its answer sets none. What an upstream answers is the site's to share.

const (
	allowOrigin   = "Access-Control-Allow-Origin"
	exposeHeaders = "Access-Control-Expose-Headers"

	// exposed is what a script may read of an answer's header.
	exposed = "Link, Paywall-Balance, Paywall-Charged, Paywall-Price, Paywall-Refunded, Paywall-Visits, Retry-After, WWW-Authenticate"

	// sendable is what a script may send below /.paywall/.
	sendable = "Accept, Accept-Language, Authorization, Content-Type"

	// preflightAge is how long a browser may remember the answer to a
	// preflight, in seconds: two hours, the longest that Chromium keeps to.
	preflightAge = "7200"
)

// allowOthers lets scripts of every origin read an answer of the paywall,
// unless the site has said who may. It needs no Vary: such answers are not
// stored, or the same whoever asks.
func allowOthers(header http.Header) {
	if len(header[allowOrigin]) == 0 {
		header[allowOrigin] = []string{"*"}
	}
	exposeOurs(header)
}

// allowAsker is allowOthers where a page's script may be asking.
func allowAsker(header http.Header, r *http.Request) {
	if len(r.Header["Origin"]) > 0 {
		allowOthers(header)
	}
}

// exposeOurs lets the scripts that may read an answer read what it says of the
// payment too. On an upstream's answer, which decides who may, it is to be
// called at the commit point.
func exposeOurs(header http.Header) {
	if len(header[allowOrigin]) > 0 && !slices.Contains(header[exposeHeaders], exposed) {
		header[exposeHeaders] = append(header[exposeHeaders], exposed)
	}
}

// answerPreflight tells a browser that a script may ask what is below
// /.paywall/: whatever the address, so that the script is told what is wrong
// with it.
func (c *call) answerPreflight() {
	h := c.w.Header()
	allowOthers(h)
	h.Del(exposeHeaders) // there is nothing to read yet
	for name, value := range map[string]string{
		"Access-Control-Allow-Methods": "GET, HEAD, POST", "Access-Control-Allow-Headers": sendable, "Access-Control-Max-Age": preflightAge,
	} {
		if h.Get(name) == "" {
			h.Set(name, value)
		}
	}
	c.w.WriteHeader(http.StatusNoContent)
}

// foreign reports whether a browser sends the request for a page of another
// origin. A link from there is not foreign: the reader comes here by it.
func (a *App) foreign(r *http.Request) bool {
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && len(r.Header["Origin"]) == 0 {
		return false
	}
	return a.csrf.Check(&http.Request{Method: http.MethodPost, Host: r.Host, Header: r.Header}) != nil
}

// mayAct refuses another origin's request that only the reader's cookie could
// authorize, and a form: any page can have a browser send one, without a
// script and without asking first. What brings a token of its own may act, and
// so may a stranger, who has nothing to lose here.
func (c *call) mayAct() error {
	if !c.foreign || c.r.Method != http.MethodPost {
		return nil
	}
	if token, err := bearerToken(presented(c.r)); token != "" || err != nil {
		return nil // what is wrong with it, credentialOf says
	}
	if token, err := cookieToken(c.r); token != "" || err != nil || !scripted(c.r) {
		return problem{status: http.StatusForbidden, key: page.CrossSite}
	}
	return nil
}

// scripted reports whether the body is none that an HTML form sends.
func scripted(r *http.Request) bool {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return media == "application/json" || r.ContentLength == 0 && strings.TrimSpace(r.Header.Get("Content-Type")) == ""
}

// form is the form of the call's answer. Another origin never gets a page.
func (c *call) form() form {
	if c.foreign {
		return asJSON
	}
	return formOf(c.r.Header)
}
