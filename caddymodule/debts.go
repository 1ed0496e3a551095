package caddymodule

import (
	"go.uber.org/zap"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// payDebts has a wallet that was topped up pay what its cards owe for taps at kiosks that were
// cut off, so that they pay again at once, and returns what it has then. What fails here is
// tried again with the next tap.
func (c *call) payDebts(id wallet.WalletID, balance wallet.Amount) wallet.Amount {
	if c.app.Kiosks == nil {
		return balance
	}
	held, err := c.ledger.Wallet(c.r.Context(), id)
	if err == nil {
		_, _, err = c.app.cashier(c.keys, c.ledger).CardsPaid(c.r.Context(), held)
	}
	if err == nil {
		held, err = c.ledger.Wallet(c.r.Context(), id)
	}
	if err != nil {
		c.app.logger.Warn("what a wallet owes for taps at kiosks was not asked for; it is with the next tap", zap.Error(err))
		return balance
	}
	return held.Available
}
