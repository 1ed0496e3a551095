package emv

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// ErrNoBankCard is a card without an application of a scheme that an authority is known of.
var ErrNoBankCard = errors.New("this is no bank card of a scheme that is known here")

// environment is the name under which contactless cards list their applications (PPSE).
const environment = "2PAY.SYS.DDF01"

// The command SELECT, by name.
const (
	instructionSelect = 0xA4
	selectByName      = 0x04
)

// Lengths of an application's name, the first five bytes of which are the scheme's.
const (
	leastName = 5
	mostName  = 16
)

// application is one of those that a card lists.
type application struct {
	name     []byte
	priority int // the lowest goes first
}

// applications reads what a card lists, in the order of its own preference.
func applications(directory []byte) ([]application, error) {
	objects, err := Parse(directory)
	if err != nil {
		return nil, err
	}
	var all []application
	for _, o := range objects {
		switch {
		case o.Tag == tagEntry:
			all = append(all, application{priority: math.MaxInt})
		case len(all) == 0: // not in an entry
		case o.Tag == tagName && len(o.Value) >= leastName && len(o.Value) <= mostName:
			all[len(all)-1].name = o.Value
		case o.Tag == tagPriority && len(o.Value) == 1 && o.Value[0]&0x0F != 0:
			all[len(all)-1].priority = int(o.Value[0] & 0x0F)
		}
	}
	all = slices.DeleteFunc(all, func(a application) bool { return a.name == nil })
	slices.SortStableFunc(all, func(a, b application) int { return a.priority - b.priority })
	return all, nil
}

// choose selects the application that the card prefers among those whose scheme is known,
// and returns its name and what it wants to be told.
func (t *Terminal) choose(c *conversation) (name, pdol []byte, err error) {
	directory, err := c.ask(0x00, instructionSelect, selectByName, 0x00, []byte(environment))
	if errors.Is(err, card.ErrRefused) {
		return nil, nil, ErrNoBankCard
	}
	if err != nil {
		return nil, nil, err
	}
	all, err := applications(directory)
	if err != nil {
		return nil, nil, fmt.Errorf("the card's list of applications: %w", err)
	}
	i := slices.IndexFunc(all, func(a application) bool {
		return slices.ContainsFunc(t.Authorities, func(known *Authority) bool { return known.RID == [5]byte(a.name) })
	})
	if i < 0 {
		return nil, nil, ErrNoBankCard
	}
	name = all[i].name
	answer, err := c.ask(0x00, instructionSelect, selectByName, 0x00, name)
	if err != nil {
		return nil, nil, err
	}
	objects, err := Parse(answer)
	return name, Find(objects, tagPDOL), err
}
