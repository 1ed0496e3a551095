package caddymodule

import (
	"errors"
	"net/http"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

var (
	errVoucherUnknown = problem{status: http.StatusUnprocessableEntity, key: page.VoucherUnknown}
	errVoucherUsed    = problem{status: http.StatusConflict, key: page.VoucherUsed}
)

// redeemedJSON is the answer to a voucher that was redeemed.
type redeemedJSON struct {
	madeJSON
	Credited moneyJSON `json:"credited"`
	Balance  moneyJSON `json:"balance"`
}

// redeem serves POST /.paywall/vouchers/redeem. For a reader without a wallet
// this is the act by which one comes into being.
func (c *call) redeem() error {
	if err := c.guessing(); err != nil {
		return err
	}
	code, err := wallet.ParseVoucherCode(c.fields.Code)
	if err != nil {
		return problem{status: http.StatusUnprocessableEntity, key: page.VoucherMalformed}
	}
	digest := code.Digest(c.keys.vouchers)
	held, err := c.holder()
	if err != nil {
		return err
	}
	var made madeWallet
	if held != nil {
		made.id = held.ID
	} else if made, err = c.createFor(digest); err != nil {
		return err
	}
	receipt, err := c.ledger.Redeem(c.r.Context(), wallet.Redeem{ID: c.operation(), Wallet: made.id, Code: digest})
	if err != nil {
		return c.app.down("redeeming a voucher", err)
	}
	if !receipt.Outcome.Done() {
		return c.notRedeemed(receipt.Outcome)
	}
	if c.isPage() && held == nil {
		c.keep(made)
	}
	answer := redeemedJSON{made.json(), c.app.money(receipt.Amount), c.app.money(c.payDebts(made.id, receipt.Balance))}
	if held != nil {
		answer.madeJSON = madeJSON{Wallet: made.id.String()}
	}
	return c.done(http.StatusOK, answer, c.back(), page.Redeemed)
}

// createFor makes a wallet for a voucher that is good: a wrong one must not
// leave an empty wallet behind.
func (c *call) createFor(digest wallet.Digest) (madeWallet, error) {
	v, err := c.ledger.Voucher(c.r.Context(), digest)
	switch {
	case errors.Is(err, wallet.ErrNotFound):
		return madeWallet{}, c.wrongCode(errVoucherUnknown)
	case err != nil:
		return madeWallet{}, c.app.down("asking the ledger", err)
	case v.State == wallet.VoucherRedeemed:
		return madeWallet{}, errVoucherUsed
	case v.State != wallet.VoucherIssued:
		return madeWallet{}, c.wrongCode(errVoucherUnknown)
	}
	return c.create(c.app.limits.newWallets.take)
}

// notRedeemed says the same of a voucher that is unknown and of one that is
// void, so that nobody learns which codes exist.
func (c *call) notRedeemed(o wallet.Outcome) error {
	switch o {
	case wallet.NotFound, wallet.Void:
		return c.wrongCode(errVoucherUnknown)
	case wallet.Spent:
		return errVoucherUsed
	}
	return refusalOf(o)
}

// operation is the id that the caller made, or a new one.
func (c *call) operation() wallet.OpID {
	if c.fields.ID != (wallet.OpID{}) {
		return c.fields.ID
	}
	return c.app.newID()
}

// guessers is who is counted for wrong codes: the address and the wallet.
func (c *call) guessers() []party {
	who := []party{c.address()}
	if c.cred != nil {
		who = append(who, partyOf(c.cred.Wallet))
	}
	return who
}

// guessing refuses who has sent too many wrong codes, before any look-up.
func (c *call) guessing() error {
	for _, who := range c.guessers() {
		if wait, spent := c.app.limits.wrongCodes.spent(who, c.app.now()); spent {
			return tooMany(wait)
		}
	}
	return nil
}

// wrongCode counts a wrong code and is the problem it was given.
func (c *call) wrongCode(p problem) error {
	for _, who := range c.guessers() {
		c.app.limits.wrongCodes.add(who, c.app.now())
	}
	return p
}
