package kiosk

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	leastPIN = 4 // digits
	mostPIN  = 8

	// mostWrong is how many wrong PINs in a row block a card, until its holder lets it pay
	// again.
	mostWrong = 3
)

// ErrPIN is a PIN that a holder may not set.
var ErrPIN = errors.New("a PIN has 4 to 8 digits, which are not all the same and do not count up or down")

// PIN is what has to be entered for a card above a sum. It is never shown again: the ledger
// has its keyed hash, which is good for no other card.
type PIN struct {
	Card    string        `json:"card"` // that it was set for; what takes its place has the same
	Tag     []byte        `json:"tag"`
	Above   wallet.Amount `json:"above"`             // what is paid without it in a day, since it was right last: many small taps count as a large one
	Without wallet.Amount `json:"without,omitempty"` // what has been
	Wrong   int           `json:"wrong,omitempty"`   // in a row
	Last    []byte        `json:"last,omitempty"`    // the hash of the last wrong one and its tap
}

// SetPIN has a card ask for a PIN where more than above is paid without it. Without digits
// it stays the same, where there is one. ErrPIN, ErrInvalid. It belongs into a change of the
// card (see ChangeCard).
func (c *Cashier) SetPIN(one *Card, digits wire.PIN, above wallet.Amount) error {
	switch {
	case above < 0 || above > wallet.MaxAmount:
		return fmt.Errorf("%w: a PIN is asked for above an amount", ErrInvalid)
	case digits == "" && one.PIN == nil:
		return ErrPIN
	case digits == "":
		one.PIN.Above = above
		return nil
	case !isPIN(string(digits)):
		return ErrPIN
	}
	tag := c.Keys.PINs.Sign(pinMessage(one.ID, digits))
	one.PIN = &PIN{Card: one.ID, Tag: tag[:], Above: above}
	return nil
}

// isPIN reports whether digits do for a PIN: what everybody tries first does not.
func isPIN(digits string) bool {
	if len(digits) < leastPIN || len(digits) > mostPIN || strings.Trim(digits, "0123456789") != "" {
		return false
	}
	step := int(digits[1]) - int(digits[0])
	if step < -1 || step > 1 {
		return true
	}
	for i := 2; i < len(digits); i++ {
		if int(digits[i])-int(digits[i-1]) != step {
			return true
		}
	}
	return false
}

func pinMessage(card string, digits wire.PIN) []byte {
	return []byte("pin " + card + " " + string(digits))
}

func wrongMessage(tap wallet.OpID, digits wire.PIN) []byte {
	return []byte("wrong " + tap.String() + " " + string(digits))
}

// entry is what becomes of a tap for its PIN.
type entry int

const (
	enough   entry = iota // it pays
	missing               // one has to be entered
	mistaken              // another one has to be
	blocking              // none may be entered any more
)

// enterPIN notes on the card that a price is paid with a PIN, or without one. A wrong one is
// counted, once however often its tap is sent with it; nobody is told before that is written
// down.
func (c *Cashier) enterPIN(one *Card, tap wallet.OpID, digits wire.PIN, price wallet.Amount) entry {
	pin := one.PIN
	switch {
	case pin == nil:
		return enough
	case digits == "" && pin.Without+price <= pin.Above:
		pin.Without += price
		return enough
	case digits == "":
		return missing
	case c.Keys.PINs.Verify(pinMessage(pin.Card, digits), pin.Tag):
		pin.Without, pin.Wrong, pin.Last = 0, 0, nil
		return enough
	case c.Keys.PINs.Verify(wrongMessage(tap, digits), pin.Last):
		return mistaken
	}
	last := c.Keys.PINs.Sign(wrongMessage(tap, digits))
	if pin.Wrong, pin.Last = pin.Wrong+1, last[:]; pin.Wrong >= mostWrong {
		one.Blocked = true
		return blocking
	}
	return mistaken
}

// PINBlocked reports whether wrong PINs have blocked the card.
func (one *Card) PINBlocked() bool {
	return one.Blocked && one.PIN != nil && one.PIN.Wrong >= mostWrong
}

// forgive forgets the wrong PINs of a card that its holder has let pay again.
func (one *Card) forgive() {
	if !one.Blocked && one.PIN != nil && one.PIN.Wrong >= mostWrong {
		one.PIN.Wrong, one.PIN.Last = 0, nil
	}
}
