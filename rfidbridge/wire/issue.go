package wire

import (
	"fmt"
	"io"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Task is what is to become of a card.
type Task string

// The tasks.
const (
	Personalise Task = "personalise" // a blank card is made one of the site's
	Reset       Task = "reset"       // one of the site's is made blank
)

// Issue asks for the next command to a card that lies at an issuing kiosk. The paywall has
// the keys, the kiosk carries commands. Its ID makes it the same run however often it is
// sent. It prints without the card's number.
type Issue struct {
	ID     wallet.OpID `json:"id"`
	Task   Task        `json:"task"`
	Kind   card.Kind   `json:"kind"`
	UID    Hex         `json:"uid"`              // of the card, seven bytes
	Answer *Answer     `json:"answer,omitempty"` // of the card, to the command before
}

// Format keeps the card's number from being printed.
func (Issue) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[card to issue]") }

// Done is an Outcome of an Issue alone: the card is what it was to become.
const Done Outcome = "done"

// Issued answers an Issue: asked, done, or refused.
type Issued struct {
	ID      wallet.OpID `json:"id"`
	Outcome Outcome     `json:"outcome"`
	Ask     *Ask        `json:"ask,omitempty"`     // the next command
	Problem string      `json:"problem,omitempty"` // why it is refused, in words
}
