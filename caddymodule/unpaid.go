package caddymodule

import (
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// limitedNotice is how often the log says that requests are limited: a flood
// must not fill it.
const limitedNotice = time.Minute

// unpaid counts a request that pays nothing, before the answer to it costs
// anything. Where there have been too many it is the problem to answer instead.
func (a *App) unpaid(r *http.Request, cred *credential) error {
	if retry, ok := a.limits.unpaid.take(payer(r, cred), a.now()); !ok {
		return a.limited(r, retry)
	}
	return nil
}

// counted is the problem to answer instead of p, or p. What the paywall itself
// has failed in counts for nobody.
func (a *App) counted(r *http.Request, cred *credential, p problem) problem {
	if p.status >= http.StatusInternalServerError || p.key == page.Limited {
		return p
	}
	if instead := problemIn(a.unpaid(r, cred)); instead != nil {
		return *instead
	}
	return p
}

// verify is what a token says. One that nobody has verified yet costs a
// signature, which an address that has sent too many bad ones does not get. A
// token that is refused counts, and one that is good does not.
func (a *App) verify(k *keys, r *http.Request, token string) (wallet.Claims, error) {
	now := a.now()
	claims, settled, err := k.ring.Recall(token, now)
	if settled && err == nil {
		return claims, nil
	}
	from := payer(r, nil)
	if retry, spent := a.limits.forged.spent(from, now); spent {
		return wallet.Claims{}, a.limited(r, retry)
	}
	if !settled {
		claims, err = k.ring.Verify(token, now)
	}
	if err != nil {
		a.limits.forged.add(from, now)
	}
	return claims, err
}

// undone counts a sale whose money was set aside or paid ahead, and then given
// back.
func (a *App) undone(id wallet.WalletID) { a.limits.undone.add(partyOf(id), a.now()) }

// mayUndo is the problem of a wallet that has had its money back too often.
func (a *App) mayUndo(r *http.Request, id wallet.WalletID) error {
	if retry, spent := a.limits.undone.spent(partyOf(id), a.now()); spent {
		return a.limited(r, retry)
	}
	return nil
}

// limited is the problem of an address or a wallet that must wait, of which
// the log tells the operator now and then.
func (a *App) limited(r *http.Request, retry time.Duration) error {
	now := a.now().UnixNano()
	if last := a.limits.noticed.Load(); now-last >= int64(limitedNotice) && a.limits.noticed.CompareAndSwap(last, now) {
		a.logger.Warn("too many requests without payment, answering 429; "+
			"if the address is a proxy of yours, name it in trusted_proxies, and see unpaid_limit",
			zap.String("client_ip", clientOf(r)))
	}
	return problem{status: http.StatusTooManyRequests, key: page.Limited, retry: retry}
}
