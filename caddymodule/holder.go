package caddymodule

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// holder returns the wallet of the credential, compared with the ledger. A
// cookie that opens nothing any more is no credential; a token that was sent on
// purpose and opens nothing is a problem. The wallet is nil where there is no
// credential.
func (c *call) holder() (*wallet.Wallet, error) {
	if c.cred == nil {
		return nil, nil
	}
	held, err := c.ledger.Wallet(c.r.Context(), c.cred.Wallet)
	why := wallet.Revoked
	switch {
	case errors.Is(err, wallet.ErrNotFound):
		why = wallet.NotFound
	case err != nil:
		return nil, c.app.down("asking the ledger", err)
	case held.Generation == c.cred.Generation:
		return &held, nil
	}
	if c.cred.bearer {
		return nil, refusalOf(why)
	}
	c.cred = nil
	return nil, nil
}

// mustHolder is holder where there must be a wallet.
func (c *call) mustHolder() (*wallet.Wallet, error) {
	held, err := c.holder()
	if err == nil && held == nil {
		return nil, refusalOf(wallet.NotFound)
	}
	return held, err
}

// newWallet serves POST /.paywall/wallets.
func (c *call) newWallet() error {
	held, err := c.holder()
	if err != nil {
		return err
	}
	if held != nil && c.isPage() {
		c.redirect(page.WalletPath) // a reader has one, and would lose it
		return nil
	}
	made, err := c.create(c.app.limits.freeWallet)
	if err != nil {
		return err
	}
	if c.isPage() {
		c.keep(made)
	}
	return c.done(http.StatusCreated, made.json(), page.WalletPath, "")
}

// madeWallet is a wallet that has just come into being, with what opens it.
type madeWallet struct {
	id       wallet.WalletID
	token    string
	recovery wallet.Code
}

type madeJSON struct {
	Wallet       string `json:"wallet"`
	Token        string `json:"token,omitempty"`
	RecoveryCode string `json:"recovery_code,omitempty"`
}

func (m madeWallet) json() madeJSON {
	return madeJSON{m.id.String(), m.token, m.recovery.String()}
}

// create makes a wallet, if its maker's address may have one more.
func (c *call) create(mayHave func(from party, now time.Time) (retry time.Duration, ok bool)) (made madeWallet, err error) {
	limit, err := c.maxPrice()
	if err != nil {
		return made, err
	}
	if wait, ok := mayHave(c.address(), c.app.now()); !ok {
		return made, c.app.limited(c.r, wait)
	}
	if made.id, err = wallet.NewWalletID(c.app.random); err != nil {
		return made, err
	}
	if made.recovery, err = wallet.NewRecoveryCode(c.app.random); err != nil {
		return made, err
	}
	receipt, err := c.ledger.CreateWallet(c.r.Context(), wallet.CreateWallet{
		ID: c.app.newID(), Wallet: made.id, Recovery: made.recovery.Digest(c.keys.recovery),
	})
	if err != nil {
		return made, c.app.down("creating a wallet", err)
	}
	if !receipt.Outcome.Done() {
		return made, refusalOf(receipt.Outcome)
	}
	made.token, err = c.mint(made.id, receipt.Generation, limit)
	return made, err
}

// keep gives the reader's browser the wallet, and the next page its recovery
// code.
func (c *call) keep(made madeWallet) {
	setToken(c.w, c.r, made.token, time.Duration(c.app.TokenLifetime))
	setRecovery(c.w, c.r, made.recovery)
}

// maxPrice is the limit that the new token shall have; zero: none.
func (c *call) maxPrice() (wallet.Amount, error) {
	if c.fields.MaxPrice == "" {
		return 0, nil
	}
	limit, err := wallet.ParseAmount(c.fields.MaxPrice)
	if err != nil {
		return 0, badRequest("max_price: " + err.Error())
	}
	return limit, nil
}

func tooMany(wait time.Duration) problem {
	return problem{status: http.StatusTooManyRequests, key: page.TooManyTries, retry: wait}
}

// recover serves POST /.paywall/recover: a recovery code opens its wallet here.
func (c *call) recover() error {
	limit, err := c.maxPrice()
	if err != nil {
		return err
	}
	held, err := c.byRecovery()
	if err != nil {
		return err
	}
	made := madeWallet{id: held.ID}
	if c.fields.Revoke {
		if made.recovery, held.Generation, err = c.rekey(held.ID, true); err != nil {
			return err
		}
	}
	if made.token, err = c.mint(held.ID, held.Generation, limit); err != nil {
		return err
	}
	if c.isPage() {
		setToken(c.w, c.r, made.token, time.Duration(c.app.TokenLifetime))
		if c.fields.Revoke {
			setRecovery(c.w, c.r, made.recovery)
		}
	}
	return c.done(http.StatusOK, made.json(), c.back(), page.Recovered)
}

// byRecovery finds the wallet that the posted recovery code opens.
func (c *call) byRecovery() (wallet.Wallet, error) {
	if err := c.guessing(); err != nil {
		return wallet.Wallet{}, err
	}
	code, err := wallet.ParseRecoveryCode(cmp.Or(c.fields.Code, c.fields.Recovery))
	if err != nil {
		return wallet.Wallet{}, problem{status: http.StatusUnprocessableEntity, key: page.RecoveryMalformed}
	}
	held, err := c.ledger.WalletByRecovery(c.r.Context(), code.Digest(c.keys.recovery))
	if errors.Is(err, wallet.ErrNotFound) {
		return held, c.wrongCode(problem{status: http.StatusUnprocessableEntity, key: page.RecoveryUnknown})
	}
	if err != nil {
		return held, c.app.down("asking the ledger", err)
	}
	return held, nil
}

// renewRecovery serves POST /.paywall/wallet/recovery: a new recovery code in
// the place of the old. A token with a spending limit may not have one: the
// code would open the wallet without the limit.
func (c *call) renewRecovery() error {
	held, err := c.mustHolder()
	if err != nil {
		return err
	}
	if c.cred.MaxPrice > 0 {
		return problem{status: http.StatusForbidden, key: page.BadRequest, detail: "a token with max_price cannot renew the recovery code"}
	}
	code, _, err := c.rekey(held.ID, false)
	if err != nil {
		return err
	}
	if c.isPage() {
		setRecovery(c.w, c.r, code)
	}
	return c.done(http.StatusOK, map[string]string{"recovery_code": code.String()}, c.back(), page.RecoveryRenewed)
}

// rekey gives a wallet a new recovery code. Each is kept in the journal and
// costs its holder nothing, so they are limited like new wallets, and like
// wrong codes.
func (c *call) rekey(id wallet.WalletID, revoke bool) (wallet.Code, uint32, error) {
	if wait, ok := c.app.limits.wrongCodes.take(partyOf(id), c.app.now()); !ok {
		return wallet.Code{}, 0, tooMany(wait)
	}
	if wait, ok := c.app.limits.newWallets.take(c.address(), c.app.now()); !ok {
		return wallet.Code{}, 0, c.app.limited(c.r, wait)
	}
	code, err := wallet.NewRecoveryCode(c.app.random)
	if err != nil {
		return code, 0, err
	}
	if revoke && c.app.Kiosks != nil { // before: nobody has the new code if this fails after it
		if err := c.app.cashier(c.keys, c.ledger).DenyWallet(c.r.Context(), id); err != nil {
			return code, 0, c.app.down("telling kiosks of a revocation", err)
		}
	}
	receipt, err := c.ledger.Rekey(c.r.Context(), wallet.Rekey{
		ID: c.app.newID(), Wallet: id, Recovery: code.Digest(c.keys.recovery), Revoke: revoke,
	})
	if err != nil {
		return code, 0, c.app.down("changing a recovery code", err)
	}
	if !receipt.Outcome.Done() {
		return code, 0, refusalOf(receipt.Outcome)
	}
	return code, receipt.Generation, nil
}
