package wire

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

// Card is what a card has shown: its number alone, or a SUN message. It prints as its kind.
type Card struct {
	UID  uid.UID  // of a card that proves nothing
	PICC [16]byte // the message's encrypted part, where SUN is set
	MAC  card.MAC // and its signature
	SUN  bool
}

var errCard = errors.New("a card is a uid, or a sun with picc and cmac, in hex")

type cardForm struct {
	UID string   `json:"uid,omitempty"`
	SUN *sunForm `json:"sun,omitempty"`
}

type sunForm struct {
	PICC string `json:"picc"`
	CMAC string `json:"cmac"`
}

// MarshalJSON implements [json.Marshaler]: it is for the paywall alone.
func (c Card) MarshalJSON() ([]byte, error) {
	if c.SUN {
		return json.Marshal(cardForm{SUN: &sunForm{hex.EncodeToString(c.PICC[:]), hex.EncodeToString(c.MAC[:])}})
	}
	return json.Marshal(cardForm{UID: hex.EncodeToString(c.UID.Bytes())})
}

// UnmarshalJSON implements [json.Unmarshaler]. Its error has nothing of the card in it.
func (c *Card) UnmarshalJSON(text []byte) error {
	var form cardForm
	if json.Unmarshal(text, &form) != nil || (form.UID == "") == (form.SUN == nil) {
		return errCard
	}
	*c = Card{SUN: form.SUN != nil}
	if c.SUN {
		if !fill(c.PICC[:], form.SUN.PICC) || !fill(c.MAC[:], form.SUN.CMAC) {
			return errCard
		}
		return nil
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
	if c.SUN {
		kind = "card by a SUN message"
	}
	_, _ = f.Write([]byte(kind))
}
