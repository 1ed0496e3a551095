package wire

import (
	"encoding/hex"
	"fmt"
	"io"
)

// Hex is a command to a card, or its answer. It is written in hex, and prints as nothing of
// itself: there may be a card's number in it.
type Hex []byte

// MarshalText implements [encoding.TextMarshaler].
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (h *Hex) UnmarshalText(text []byte) (err error) {
	if *h, err = hex.AppendDecode(nil, text); err != nil {
		return errHex
	}
	return nil
}

var errHex = fmt.Errorf("what goes to a card and comes from it is written in hex")

// Format implements [fmt.Formatter].
func (h Hex) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "[%d bytes]", len(h)) }

// PIN is what somebody has entered. It prints as a placeholder under every verb.
type PIN string

// Format implements [fmt.Formatter].
func (PIN) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[PIN]") }

// Format keeps what is in it from being printed.
func (Answer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[answer]") }

// Format keeps what is in it from being printed.
func (a Ask) Format(f fmt.State, _ rune) {
	what := "[ask the card]"
	if a.PIN {
		what = "[ask for a PIN]"
	}
	_, _ = io.WriteString(f, what)
}
