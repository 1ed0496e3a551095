package caddymodule

import (
	"errors"
	"net/http"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
)

// isPage reports whether the answer is for a person: who asked for HTML, or
// sent a form without saying what to answer.
func (c *call) isPage() bool {
	f := c.form()
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
	p = c.app.counted(c.r, c.cred, p)
	f := c.form()
	if f == asHTML && c.r.Method == http.MethodPost && shownOnPage[p.key] {
		setNotice(c.w, c.r, p.key)
		c.redirect(c.back())
		return
	}
	if f == asText {
		f = asJSON
	}
	p.write(c.w, c.r, f, c.app.frame(c.r))
}

// shownOnPage is the problems that the page that a reader came from can show.
var shownOnPage = map[string]bool{
	page.VoucherMalformed: true, page.VoucherUnknown: true, page.VoucherUsed: true,
	page.RecoveryMalformed: true, page.RecoveryUnknown: true,
	page.QuoteExpired: true, page.NotEnough: true, page.Frozen: true, page.NoWallet: true,
	page.Conflict: true, page.Revoked: true,
	page.CardClaim: true, page.CardTaken: true, page.CardLimits: true, page.TapOver: true, page.TillCode: true, page.TillNone: true, page.CardPIN: true, page.CardPlace: true,
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
