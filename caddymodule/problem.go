package caddymodule

import (
	"fmt"
	"net/http"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// problem is an error that its sender is told of: a status, one of package
// page's message keys, and for machines a detail, which must hold no secret.
type problem struct {
	status int
	key    string
	detail string
	retry  time.Duration // when to try again; zero: not said
}

func (p problem) Error() string { return fmt.Sprintf("%d %s: %s", p.status, p.key, p.text("en")) }

// text is the detail, or the key's words.
func (p problem) text(lang string) string {
	if p.detail != "" {
		return p.detail
	}
	return page.Text(lang, p.key)
}

func badRequest(detail string) problem {
	return problem{status: http.StatusBadRequest, key: page.BadRequest, detail: detail}
}

// refusals is what each outcome that changed nothing means to who asked.
var refusals = map[wallet.Outcome]problem{
	wallet.Insufficient: {status: http.StatusPaymentRequired, key: page.NotEnough},
	wallet.Conflict:     {status: http.StatusConflict, key: page.Conflict},
	wallet.Frozen:       {status: http.StatusForbidden, key: page.Frozen},
	wallet.Revoked:      {status: http.StatusUnauthorized, key: page.Revoked},
	wallet.NotFound:     {status: http.StatusUnauthorized, key: page.NoWallet},
	wallet.Stale:        {status: http.StatusConflict, key: page.QuoteExpired},
	wallet.Limit:        {status: http.StatusUnprocessableEntity, key: page.Limit},
}

// refusalOf is the problem of an outcome that is not Done.
func refusalOf(o wallet.Outcome) problem {
	if p, ok := refusals[o]; ok {
		return p
	}
	return problem{status: http.StatusConflict, key: page.Conflict, detail: o.String()}
}

// tooDear is the problem of a price above what a token may pay for one thing.
func (a *App) tooDear(limit, price wallet.Amount) problem {
	return problem{
		status: http.StatusPaymentRequired, key: page.NotEnough,
		detail: fmt.Sprintf("the token pays at most %s, and this costs %s", a.currency.Price(limit), a.currency.Price(price)),
	}
}

// The answers when the ledger cannot say: never a 402, which would ask for a
// second payment. After errUncertain nobody knows yet whether the first was
// taken; the next request does (invariant 6).
var (
	errUnavailable = problem{status: http.StatusServiceUnavailable, key: page.Unavailable, retry: ledgerRetry}
	errUncertain   = problem{status: http.StatusServiceUnavailable, key: page.Uncertain, retry: ledgerRetry}
)

// ledgerRetry is when to try again after the ledger could not answer.
const ledgerRetry = 5 * time.Second

// problemType names a message key as a problem type (RFC 9457 §3.1.1).
func problemType(key string) string { return "urn:caddy-paywall:problem:" + key }

// problemJSON is RFC 9457 problem JSON.
type problemJSON struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

func (p problem) json(lang string) problemJSON {
	return problemJSON{problemType(p.key), page.Title(lang, p.key), p.status, p.text(lang)}
}
