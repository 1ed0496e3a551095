package kiosk

import (
	"encoding/base64"
	"encoding/json"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// What the paywall gives away and wants to have back is sealed: who keeps it can neither
// read nor change it, nor pass off one kind for another or one kiosk's for another's.

// grant is what a granted tap has set aside.
type grant struct {
	Tap     wallet.OpID     `json:"t"`
	Wallet  wallet.WalletID `json:"w"`
	Hold    wallet.OpID     `json:"h"`
	Amount  wallet.Amount   `json:"a"`
	Product string          `json:"p"`
	Card    string          `json:"c"` // its register
}

// claim is a card that nobody has, and until when it can be claimed.
type claim struct {
	Card    string `json:"c"`
	Tier    Tier   `json:"t"`
	Counter uint32 `json:"n"`
	Expires int64  `json:"e"` // milliseconds since 1970
}

const (
	grantSeal = "grant "
	claimSeal = "claim"

	mostSealed = 1024 // characters
)

func (c *Cashier) seal(what any, as string) (string, error) {
	text, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	sealed := c.Keys.Seal.Seal(nil, nil, text, []byte(as)) //nolint:gosec // the nonce is drawn by the AEAD itself
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open reads what was sealed as the same: else ErrCode.
func (c *Cashier) open(sealed, as string, into any) error {
	if len(sealed) > mostSealed {
		return ErrCode
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return ErrCode
	}
	text, err := c.Keys.Seal.Open(nil, nil, raw, []byte(as))
	if err != nil || json.Unmarshal(text, into) != nil {
		return ErrCode
	}
	return nil
}
