package tap

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Presented is a card on a reader, and whoever has laid it there.
type Presented struct {
	Card     wire.Card     // what it has shown
	Exchange card.Exchange // reaches it; nil: the reader can carry no commands
	ID       ID            // by which this kiosk tells it from others, where it can

	// PIN asks whoever has tapped, until ctx ends; wrong says that the PIN before was.
	// ErrCancelled where they do not want. Nil: nobody can be asked.
	PIN func(ctx context.Context, wrong bool) (wire.PIN, error)
}

// ErrCancelled is somebody who was asked for a PIN and gave none.
var ErrCancelled = errors.New("no PIN was given")

var (
	errTorn    = errors.New("the card was taken away before it had proved itself")
	errAsked   = errors.New("the paywall asks for what this kiosk cannot do")
	errEndless = errors.New("the paywall asks without end")
)

// mostAsked is how often a paywall may ask before it judges.
const mostAsked = 16

// answer does what the paywall asks for.
func (p Presented) answer(ctx context.Context, ask *wire.Ask) (*wire.Answer, error) {
	switch {
	case ask == nil, ask.PIN && p.PIN == nil, !ask.PIN && p.Exchange == nil:
		return nil, errAsked
	case ask.PIN:
		pin, err := p.PIN(ctx, ask.Wrong)
		return &wire.Answer{State: ask.State, PIN: pin}, err
	}
	said, err := p.Exchange(ask.Command)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTorn, err)
	}
	return &wire.Answer{State: ask.State, Card: said}, nil
}
