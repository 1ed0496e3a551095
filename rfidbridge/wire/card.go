package wire

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

// Card is what a card has shown: its number alone, a SUN message, or, of a bank card that
// the kiosk has checked, a token. It prints as what it is.
type Card struct {
	UID   uid.UID   // of a card that proves nothing
	PICC  [16]byte  // the message's encrypted part, where SUN is set
	MAC   card.MAC  // and its signature
	SUN   bool      //
	Token [32]byte  // in place of a bank card's number, where Bank is set
	Bank  bool      //
	Kind  card.Kind // of the chip, where it has an application of this site
}

var errCard = errors.New("a card is a uid, a sun with picc and cmac, or a token, in hex, and of a known kind")

type cardForm struct {
	UID   string    `json:"uid,omitempty"`
	SUN   *sunForm  `json:"sun,omitempty"`
	Token string    `json:"token,omitempty"`
	Kind  card.Kind `json:"kind,omitempty"`
}

type sunForm struct {
	PICC string `json:"picc"`
	CMAC string `json:"cmac"`
}

// MarshalJSON implements [json.Marshaler]: it is for the paywall alone.
func (c Card) MarshalJSON() ([]byte, error) {
	form := cardForm{Kind: c.Kind}
	switch {
	case c.SUN:
		form.SUN = &sunForm{hex.EncodeToString(c.PICC[:]), hex.EncodeToString(c.MAC[:])}
	case c.Bank:
		form.Token = hex.EncodeToString(c.Token[:])
	default:
		form.UID = hex.EncodeToString(c.UID.Bytes())
	}
	return json.Marshal(form)
}

// UnmarshalJSON implements [json.Unmarshaler]. Its error has nothing of the card in it.
func (c *Card) UnmarshalJSON(text []byte) error {
	var form cardForm
	if json.Unmarshal(text, &form) != nil || form.Kind != "" && !slices.Contains(card.Kinds, form.Kind) {
		return errCard
	}
	*c = Card{Kind: form.Kind, SUN: form.SUN != nil, Bank: form.Token != ""}
	switch {
	case c.SUN && !c.Bank && form.UID == "":
		if !fill(c.PICC[:], form.SUN.PICC) || !fill(c.MAC[:], form.SUN.CMAC) {
			return errCard
		}
		return nil
	case c.Bank && !c.SUN && form.UID == "":
		if !fill(c.Token[:], form.Token) {
			return errCard
		}
		return nil
	case c.SUN || c.Bank:
		return errCard
	}
	number, err := hex.DecodeString(form.UID)
	if err != nil {
		return errCard
	}
	if c.UID, err = uid.New(number); err != nil {
		return errCard
	}
	return nil
}

func fill(to []byte, text string) bool {
	decoded, err := hex.DecodeString(text)
	return err == nil && copy(to, decoded) == len(decoded) && len(decoded) == len(to)
}

// Format keeps the card's number and message from being printed under any verb.
func (c Card) Format(f fmt.State, _ rune) {
	kind := "card by its number"
	switch {
	case c.SUN:
		kind = "card by a SUN message"
	case c.Bank:
		kind = "card by a bank card's token"
	}
	_, _ = f.Write([]byte(kind))
}
