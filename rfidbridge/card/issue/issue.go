package issue

import (
	"errors"
	"fmt"
	"io"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// Card is what is to be made of a blank card, or a card that is to be blank again. It prints
// without what tells it apart.
type Card struct {
	Kind card.Kind
	UID  card.UID // whose the keys are; it is compared with the card's own
	Keys card.BoltKeys
	URL  string // that the card shows, without parameters, such as https://news.example/.paywall/tap
}

// Format keeps the number and the keys from being printed.
func (c Card) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[card]") }

// KeyVersion is the version of the keys that are put on a card. Those of a blank one have 0.
const KeyVersion = 1

var (
	// ErrForeign is a card with keys or settings that are neither the factory's nor this
	// paywall's. Its keys are what they were.
	ErrForeign = errors.New("the card has somebody else's keys")
	// ErrOther is a card whose number is another than that which the keys are for.
	ErrOther = errors.New("it is another card than before; lay down one at a time")
	// ErrKind is a card of another kind, or of one that cannot be issued.
	ErrKind = errors.New("the card is of no kind that can be issued")
	// ErrURL is an address that does not go on the card.
	ErrURL = errors.New("the address does not go on the card: it begins with https:// or http://, has no parameters, and is short")

	errRefused = errors.New("the card does not do as it is told")
	errAnswer  = errors.New("the card's answer does not read")
	errCheck   = errors.New("the card is written, but does not prove itself as it should; lay it down again")
)

// Personalise makes a blank card one of a paywall's, or goes on where an earlier run was
// interrupted; on a card that is done it checks that it is. random is what challenges are
// drawn from. An error of the exchange is returned as it is, and says that it is to be run
// again with the same keys; so is errors of the card that is not ErrForeign or ErrOther.
func Personalise(c Card, random io.Reader, exchange card.Exchange) error {
	l := link{exchange, random}
	switch c.Kind {
	case card.KindNTAG424:
		return l.personaliseNTAG(c)
	case card.KindDESFire:
		return l.personaliseDESFire(c)
	case card.KindUltralight:
		return l.personaliseUltralight(c)
	}
	return ErrKind
}

// Reset makes a card of a paywall's blank, or goes on with it. A card that is blank is left
// as it is.
func Reset(c Card, random io.Reader, exchange card.Exchange) error {
	l := link{exchange, random}
	switch c.Kind {
	case card.KindNTAG424:
		return l.resetNTAG(c)
	case card.KindDESFire:
		return l.resetDESFire(c)
	case card.KindUltralight:
		return l.resetUltralight(c)
	}
	return ErrKind
}
