package offline

import "time"

// Trust is how far a kiosk's time can be relied on.
type Trust int

const (
	// Back is a clock that says it is earlier than it was: nothing follows from it.
	Back Trust = iota
	// Plausible is the machine's own clock, not before what was last noted.
	Plausible
	// Sure is the paywall's time, and how long ago it was told.
	Sure
)

// clock is the time that grants go by. A machine's clock may be turned back to use a lease
// that is over, or stand still without a battery; what the paywall has said and how long ago
// that was cannot.
type clock struct {
	wall  func() time.Time
	since func() time.Duration // of something in the past, never back

	noted time.Time // newest that was ever known
	told  time.Time // by the paywall, since the start; zero: nothing yet
	at    time.Duration
	then  time.Time // what the machine's clock said
}

// tell says what time it is by the paywall; what was noted before may have been wrong.
func (c *clock) tell(now time.Time) { c.told, c.at, c.then, c.noted = now, c.since(), c.wall(), now }

// now is the time, which does not go back. A machine that has slept has counted less than its
// clock shows: the later of both holds, since nothing is granted for longer by it.
func (c *clock) now() (time.Time, Trust) {
	wall := c.wall()
	now, trust := wall, Plausible
	if !c.told.IsZero() {
		now, trust = c.told.Add(max(c.since()-c.at, wall.Sub(c.then))), Sure
	}
	switch {
	case !now.Before(c.noted):
		c.noted = now
	case trust == Plausible:
		trust = Back
	}
	return c.noted, trust
}
