package kiosk

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
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
	Card    string          `json:"c"`  // its register
	Time    int64           `json:"at"` // of the grant, milliseconds since 1970
}

// claim is a card that nobody has, and until when it can be claimed. It is short, because a
// screen shows it as a picture that phones have to read.
type claim struct {
	Card    uid.Hash
	Tier    Tier
	Counter uint32
	Expires int64 // milliseconds since 1970
}

func (c claim) bytes() []byte {
	b := append(c.Card[:len(c.Card):len(c.Card)], byte(c.Tier))
	b = binary.BigEndian.AppendUint32(b, c.Counter)
	return binary.BigEndian.AppendUint64(b, uint64(c.Expires))
}

func (c *claim) read(b []byte) error {
	const size = len(c.Card) + 1 + 4 + 8
	if len(b) != size {
		return ErrCode
	}
	b = b[copy(c.Card[:], b):]
	c.Tier, c.Counter, c.Expires = Tier(b[0]), binary.BigEndian.Uint32(b[1:]), int64(binary.BigEndian.Uint64(b[5:]))
	return nil
}

const (
	grantSeal = "grant "
	claimSeal = "claim"

	mostSealed = 1024 // characters
)

func (c *Cashier) seal(text []byte, as string) string {
	sealed := c.Keys.Seal.Seal(nil, nil, text, []byte(as)) //nolint:gosec // the nonce is drawn by the AEAD itself
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// open returns what was sealed as the same: else ErrCode.
func (c *Cashier) open(sealed, as string) ([]byte, error) {
	return c.openLong(sealed, as, mostSealed)
}

func (c *Cashier) openLong(sealed, as string, most int) ([]byte, error) {
	if len(sealed) > most {
		return nil, ErrCode
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, ErrCode
	}
	text, err := c.Keys.Seal.Open(nil, nil, raw, []byte(as))
	if err != nil {
		return nil, ErrCode
	}
	return text, nil
}

func (c *Cashier) sealGrant(g grant, kiosk string) (string, error) {
	text, err := json.Marshal(g)
	return c.seal(text, grantSeal+kiosk), err
}

func (c *Cashier) openGrant(sealed, kiosk string) (g grant, err error) {
	text, err := c.open(sealed, grantSeal+kiosk)
	if err == nil && json.Unmarshal(text, &g) != nil {
		err = ErrCode
	}
	return g, err
}
