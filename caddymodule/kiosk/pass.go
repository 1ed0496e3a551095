package kiosk

import (
	"encoding/json"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const passSeal = "pass"

// Pass lets a phone read the one page that a card has paid for on it. It is sealed, and
// spends nothing: the ledger says whether the page is still paid for.
type Pass struct {
	Wallet     wallet.WalletID `json:"w"`
	Generation uint32          `json:"g"`
	Resource   string          `json:"r"`
	Until      int64           `json:"u"` // milliseconds since 1970
}

// SealPass is the pass of who has paid for a page.
func (c *Cashier) SealPass(from Payer, resource string) (string, error) {
	text, err := json.Marshal(Pass{from.Wallet, from.Generation, resource, from.Until.UnixMilli()})
	return c.seal(text, passSeal), err
}

// OpenPass reads a pass for a page.
func (c *Cashier) OpenPass(sealed, resource string) (p Pass, ok bool) {
	text, err := c.openLong(sealed, passSeal, mostPass)
	if err != nil || json.Unmarshal(text, &p) != nil {
		return Pass{}, false
	}
	return p, p.Resource == resource && c.Now().Before(time.UnixMilli(p.Until))
}

const mostPass = 4 << 10 // characters of a sealed one, as of a cookie
