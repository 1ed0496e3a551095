// Package issuing is the desk at which cards are made: it takes each card that is laid on a
// reader, and carries commands between it and the paywall until it is what it is to become.
//
// It promises that a card which is taken away too early goes on where it was when it is laid
// down again, that a card is one run each time that it is laid down, and that nothing that
// it says tells a card's number whole. It has no key: what a card says to a stranger it
// finds out itself, all else is the paywall's.
package issuing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/issue"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/reader"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Paywall has the keys: *client.Client.
type Paywall interface {
	Issue(ctx context.Context, i wire.Issue) (wire.Issued, error)
}

// Desk is what is done with cards.
type Desk struct {
	Paywall Paywall
	Task    wire.Task         // none: a card is looked at
	Once    bool              // it ends with the first card
	Say     func(line string) // to whoever lays down cards

	Now    func() time.Time
	Random io.Reader
}

// mostCommands is how many commands a card is sent in a run.
const mostCommands = 200

// Patience with a paywall that does not answer.
const (
	tries = 3
	pause = time.Second
)

var (
	errTooMany = errors.New("the paywall asks the card without end")
	errNumber  = errors.New("the card hides its number, or has none for life")
	errRefused = errors.New("refused")
	errTorn    = errors.New("taken away too early: lay it down again")
)

// Run watches readers until ctx ends, or until the first card has come where there is to be
// one: then it returns what is wrong with it.
func (d Desk) Run(ctx context.Context, readers reader.Driver) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := &sink{Desk: d, ctx: ctx, stop: stop}
	err := readers.Run(ctx, s)
	if s.over {
		return s.err
	}
	return err
}

// sink hears of cards.
type sink struct {
	Desk
	ctx  context.Context //nolint:containedctx // of Run, which calls no method of a driver's with one
	stop func()
	over bool // the first card has come, where there is to be one
	err  error
}

// Arrived implements [reader.Sink].
func (s *sink) Arrived(_ string, shown wire.Card, exchange card.Exchange) {
	if s.over {
		return
	}
	err := s.take(shown, exchange)
	if err != nil {
		s.Say(fmt.Sprintf("%v: %v", shown.UID, err))
	}
	if s.Once {
		s.over, s.err = true, err
		s.stop()
	}
}

// Unread implements [reader.Sink].
func (s *sink) Unread(_ string, why error) { s.Say("a card that does not read: " + why.Error()) }

// Gone implements [reader.Sink].
func (*sink) Gone(string) {}

// Health implements [reader.Sink].
func (s *sink) Health(name string, fault error) {
	switch {
	case s.ctx.Err() != nil: // nobody watches it any more
	case fault != nil:
		s.Say(name + ": " + fault.Error())
	default:
		s.Say(name + ": ready")
	}
}

func (s *sink) take(shown wire.Card, exchange card.Exchange) error {
	switch {
	case shown.Kind == "" || exchange == nil:
		return issue.ErrKind
	case s.Task == "":
		r, err := issue.Inspect(shown.Kind, exchange)
		if err != nil {
			return err
		}
		for _, line := range describe(shown.UID, r) {
			s.Say(line)
		}
		return nil
	}
	s.Say(fmt.Sprintf("%v: %s, %s; leave it there", shown.UID, names[shown.Kind], s.Task))
	commands, err := s.issue(shown, exchange)
	if err == nil {
		s.Say(fmt.Sprintf("%v: done, with %d commands", shown.UID, commands))
	}
	return err
}

// issue carries commands to the card until the paywall says that it is done.
func (s *sink) issue(shown wire.Card, exchange card.Exchange) (commands int, err error) {
	number := shown.UID.Bytes()
	if len(number) != len(card.UID{}) {
		return 0, errNumber
	}
	i := wire.Issue{Task: s.Task, Kind: shown.Kind, UID: number}
	if i.ID, err = wallet.NewOpID(s.Now(), s.Random); err != nil {
		return 0, err
	}
	for ; commands < mostCommands; commands++ {
		next, err := s.ask(i)
		switch {
		case err != nil:
			return commands, err
		case next.Outcome == wire.Done:
			return commands, nil
		case next.Outcome != wire.Asked || next.Ask == nil:
			return commands, fmt.Errorf("%w: %s", errRefused, next.Problem)
		}
		answer, err := exchange(next.Ask.Command)
		if err != nil {
			return commands, fmt.Errorf("%w (%w)", errTorn, err)
		}
		i.Answer = &wire.Answer{State: next.Ask.State, Card: answer}
	}
	return commands, errTooMany
}

// ask asks the paywall, again where it does not answer: it is the same question.
func (s *sink) ask(i wire.Issue) (next wire.Issued, err error) {
	for range tries {
		if next, err = s.Paywall.Issue(s.ctx, i); !errors.Is(err, client.ErrUncertain) {
			return next, err
		}
		select {
		case <-s.ctx.Done():
			return next, s.ctx.Err()
		case <-time.After(pause):
		}
	}
	return next, err
}
