package caddymodule

import (
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The cookies of the paywall. Over TLS their names have the __Host- prefix, so
// that no other host of the domain can plant one (RFC 6265bis §4.1.3).
const (
	hostPrefix = "__Host-"

	tokenCookie    = "paywall"          // a reader's wallet token
	recoveryCookie = "paywall-recovery" // a new recovery code, on its way to the one page that shows it
	noticeCookie   = "paywall-notice"   // what a form has just done, on its way to the next page
	sessionCookie  = "paywall-session"  // what a card has opened in a kiosk's browser
	wantCookie     = "paywall-want"     // the quote of the page that a card shall pay for on this phone
	passCookie     = "paywall-pass"     // that a card has paid for the page; for its path

	passingAge = 5 * time.Minute // of the last two
)

// setToken gives the reader's browser a token, for lifetime.
func setToken(w http.ResponseWriter, r *http.Request, token string, lifetime time.Duration) {
	setCookie(w, r, tokenCookie, token, lifetime)
}

// setRecovery sends a new recovery code on to the next page.
func setRecovery(w http.ResponseWriter, r *http.Request, code wallet.Code) {
	setCookie(w, r, recoveryCookie, code.String(), passingAge)
}

// takeRecovery is the recovery code that the page under way shows, once.
func takeRecovery(w http.ResponseWriter, r *http.Request) string {
	text := takeCookie(w, r, recoveryCookie)
	if text == "" {
		return "" // as almost always: parsing would say in words what is wrong with nothing
	}
	code, err := wallet.ParseRecoveryCode(text)
	if err != nil {
		return ""
	}
	return code.String()
}

// setNotice sends a message key on to the next page.
func setNotice(w http.ResponseWriter, r *http.Request, key string) {
	setCookie(w, r, noticeCookie, key, passingAge)
}

// takeNotice is the notice that the page under way shows, once; nil: none.
func takeNotice(w http.ResponseWriter, r *http.Request) *page.Notice {
	key := takeCookie(w, r, noticeCookie)
	if !page.Known(key) {
		return nil
	}
	return &page.Notice{Key: key, Error: !goodNews[key], Field: fieldOf[key]}
}

// goodNews is the notices that are no error.
var goodNews = map[string]bool{
	page.Redeemed: true, page.Recovered: true, page.RecoveryRenewed: true, page.PaidAlready: true,
	page.CardAdded: true, page.CardBlocked: true, page.TillTaken: true, page.TillBack: true, page.CardChanged: true, page.CardRemoved: true,
}

// fieldOf is the form field that a notice is about.
var fieldOf = map[string]string{
	page.VoucherMalformed: page.FieldVoucher, page.VoucherUnknown: page.FieldVoucher, page.VoucherUsed: page.FieldVoucher,
	page.RecoveryMalformed: page.FieldRecovery, page.RecoveryUnknown: page.FieldRecovery,
}

// takeCookie reads a cookie and deletes it. What the browser loads without
// showing it, as in a frame of another page, takes nothing.
func takeCookie(w http.ResponseWriter, r *http.Request, name string) string {
	if speculative(r.Header) || !navigation(r.Header) {
		return ""
	}
	for value := range cookieValues(r, cookieName(r, name)) {
		setCookie(w, r, name, "", -time.Second)
		return value
	}
	return ""
}

// cookieValues are the values of the cookies of a name that the client sent. It
// takes only what this package writes: no quotes, no spaces in a value.
func cookieValues(r *http.Request, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range presented(r)["Cookie"] {
			for pair := range strings.SplitSeq(line, ";") {
				if value, is := strings.CutPrefix(strings.TrimSpace(pair), name); is && strings.HasPrefix(value, "=") && !yield(value[1:]) {
					return
				}
			}
		}
	}
}

func setCookie(w http.ResponseWriter, r *http.Request, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever the client speaks TLS
		Name: cookieName(r, name), Value: value, Path: "/", MaxAge: int(age / time.Second),
		Secure: secure(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func cookieName(r *http.Request, name string) string {
	if secure(r) {
		return hostPrefix + name
	}
	return name
}

// secure reports whether the client speaks TLS, here or at a proxy that the
// operator trusts.
func secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	return trusted && r.Header.Get("X-Forwarded-Proto") == "https"
}
