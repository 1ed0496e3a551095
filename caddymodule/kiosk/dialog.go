package kiosk

import (
	"encoding/json"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// dialog is what the paywall and a card have said to each other so far. The kiosk carries it
// between two requests, sealed, so that any instance goes on with it and none has to
// remember: what talks to the card is run again from its beginning with the answers that are
// known, and draws the same random numbers from the seed, until it wants one more answer.
//
// Whoever sends a dialog again gets the same answer again: it is of one tap at one kiosk,
// which counts once, and over after a while.
type dialog struct {
	Tap     wallet.OpID `json:"t"`
	Expires int64       `json:"x"` // milliseconds since 1970
	Shown   wire.Card   `json:"c"`
	Proving bool        `json:"p,omitempty"` // the card has been asked to prove itself
	Seed    [32]byte    `json:"s"`
	Answers []wire.Hex  `json:"a,omitempty"` // of the card

	pin wire.PIN // given with the newest request
}

const (
	dialogSeal = "dialog "
	dialogLife = 90 * time.Second // for whoever looks for a PIN
	mostDialog = 16 << 10         // characters of a sealed one
)

// resume takes up the dialog of a tap, or begins one.
func (c *Cashier) resume(k Kiosk, t wire.Tap) (d dialog, err error) {
	if t.Answer == nil {
		d = dialog{Tap: t.ID, Expires: c.Now().Add(dialogLife).UnixMilli(), Shown: t.Card}
		_, err = io.ReadFull(c.Random, d.Seed[:])
		return d, err
	}
	text, err := c.openLong(t.Answer.State, dialogSeal+k.Name, mostDialog)
	if err != nil {
		return d, err
	}
	if json.Unmarshal(text, &d) != nil || d.Tap != t.ID || d.Expires <= c.Now().UnixMilli() {
		return d, ErrCode
	}
	if d.pin = t.Answer.PIN; d.pin == "" {
		d.Answers = append(d.Answers, t.Answer.Card)
	}
	return d, nil
}

// ask seals the dialog with what is wanted next.
func (c *Cashier) ask(k Kiosk, d dialog, want wire.Ask) (*wire.Ask, error) {
	text, err := json.Marshal(d)
	want.State = c.seal(text, dialogSeal+k.Name)
	return &want, err
}

// wanting is the error with which a script ends that needs one more answer of the card.
type wanting struct{ command []byte }

func (wanting) Error() string { return "the card has not answered yet" }

// replay runs a script that talks to a card. It returns the command whose answer is missing,
// or, without one, how the script has ended.
func replay(seed [32]byte, answers []wire.Hex, script func(random io.Reader, exchange card.Exchange) error) (command []byte, err error) {
	err = script(mathrand.NewChaCha8(seed), func(command []byte) ([]byte, error) {
		if len(answers) == 0 {
			return nil, wanting{command}
		}
		answer := slices.Clone(answers[0]) // they are sealed again
		answers = answers[1:]
		return answer, nil
	})
	if want := (wanting{}); errors.As(err, &want) {
		return want.command, nil
	}
	return nil, err
}
