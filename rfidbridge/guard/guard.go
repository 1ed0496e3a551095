// Package guard tells taps apart that look alike: a card that still lies there, somebody who
// taps again out of impatience, a second purchase that is meant, and a second person.
//
// It promises that one presence of a card pays at most once for one product, and that a
// refusal never keeps anybody from trying again. It knows neither cards nor money: who is
// there, the caller has proved, and what came of it, the caller says. The server has a guard
// of its own, since kiosks restart and gates have two readers.
package guard

import "time"

// Guard is that of one reader. It is not safe for concurrent use: one goroutine owns a
// reader. Times are the caller's, and must not go back.
type Guard struct {
	// Window is how long after a card has gone the same one is still the same purchase:
	// about two seconds at a gate, five at a machine, zero where the card stays while it
	// pays.
	Window time.Duration

	here Subject   // who is present, once proved
	last purchase  // that ended last
	gone time.Time // when the card of it was last there, if it has gone
	away bool
}

// Subject is who pays, as proved: the keyed hash of a card, not its number. The zero
// subject is nobody.
type Subject [32]byte

// purchase is one subject's of one product, and what came of it.
type purchase struct {
	subject Subject
	product string
	tap     string
	granted bool
}

// Verdict is what a tap is.
type Verdict int

const (
	// New is a tap that is to be carried out.
	New Verdict = iota

	// Again is one that was carried out before: its outcome is shown again, and nothing
	// is paid.
	Again

	// TwoCards is a card that lies there beside another. Which of them pays would be
	// chance: nobody does, until all are gone.
	TwoCards
)

// Arrive notes that a card has come, which nobody has proved yet.
func (g *Guard) Arrive() { g.here = Subject{} }

// Leave notes that no card is there any more.
func (g *Guard) Leave(now time.Time) {
	if g.here == g.last.subject && !g.away {
		g.gone, g.away = now, true
	}
	g.here = Subject{}
}

// Judge says what a tap of a subject for a product is. more is that somebody has asked for
// one more. For Again, tap is the one that was carried out.
func (g *Guard) Judge(who Subject, product string, more bool, now time.Time) (v Verdict, tap string) {
	if g.here != (Subject{}) && g.here != who {
		return TwoCards, ""
	}
	g.here = who
	same := g.last.granted && g.last.subject == who && g.last.product == product
	switch {
	case !same || more:
		return New, ""
	case g.away && now.Sub(g.gone) >= g.Window:
		return New, ""
	}
	g.away = false // whoever goes on tapping goes on meaning the same
	return Again, g.last.tap
}

// Ended notes what came of a tap that was New.
func (g *Guard) Ended(who Subject, product, tap string, granted bool) {
	g.last, g.away = purchase{who, product, tap, granted}, false
}
