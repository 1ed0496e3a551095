// Package pacing says when a flight leaves: the operations that reach a store together,
// in one write or one command, because each of these costs as much as dozens of
// operations. Under load it pays to let more get on board; but a lone operation has
// nobody to wait for, and where everybody is on board there is nobody to come.
//
// It knows nothing of what flies, has no clock and starts nothing: its user asks how
// long to wait, and waits.
package pacing

import "time"

// Pacing is that of one runway. How many there are to come is the most that were seen to
// wait at once. The size of the last flight would not do: one is so quick that flights
// which do not wait stay small under any load, and flights that wait for those of the
// last one only shrink.
//
// Gather and Full must be set before the first use. It is not safe for concurrent use.
type Pacing struct {
	Gather time.Duration // at most this long after the last flight a flight leaves
	Full   int           // operations that are always enough

	departed time.Time // when the last flight left
	flights  int       // since crowd was new
	crowd    int       // the most that have waited at once, on board and in the air
	before   int       // crowd of the crowdFlights flights before
	enough   int       // operations with which the open flight leaves at once
}

const (
	quietCrowd   = 4  // fewer are no load
	crowdFlights = 64 // flights after which a crowd may be forgotten
)

// Board is told how many wait, and reports whether the flight should look up: it has its
// first operation, or enough.
func (p *Pacing) Board(aboard, inTheAir int) bool {
	p.crowd = max(p.crowd, aboard+inTheAir)
	return aboard == 1 || aboard == p.enough
}

// Patience is how long a flight with operations should still wait: not at all where it
// is not positive.
func (p *Pacing) Patience(aboard int, now time.Time) time.Duration {
	if aboard >= p.enough {
		return 0
	}
	return p.departed.Add(p.Gather).Sub(now)
}

// Depart notes that a flight leaves.
func (p *Pacing) Depart(now time.Time) {
	p.departed = now
	if p.flights++; p.flights == crowdFlights {
		p.flights, p.before, p.crowd = 0, p.crowd, 0
	}
	p.enough = min(max(p.crowd, p.before), p.Full)
	if p.enough < quietCrowd {
		p.enough = 1
	}
}
