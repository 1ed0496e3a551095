package pacing

import (
	"testing"
	"time"
)

const gatherFor = 2 * time.Millisecond

// fly lets a flight leave with so many operations on board, after so many were in the
// air while they boarded.
func (p *Pacing) fly(now time.Time, aboard, inTheAir int) {
	for i := range aboard {
		p.Board(i+1, inTheAir)
	}
	p.Depart(now)
}

func TestALoneChargeWaitsForNobody(t *testing.T) {
	p := Pacing{Gather: gatherFor, Full: 64}
	now := time.Now()
	for range 3 * crowdFlights {
		p.Board(1, 0)
		if wait := p.Patience(1, now); wait > 0 {
			t.Fatalf("it waits for %v", wait)
		}
		p.Depart(now)
		now = now.Add(100 * time.Microsecond)
	}
}

// A sync is so quick that under any load few charges come while one is under way.
// Flights that leave at once would stay as small as that, and the processor would
// do little else than sync.
func TestSmallFlightsUnderLoadBecomeLarger(t *testing.T) {
	p := Pacing{Gather: gatherFor, Full: 64}
	now := time.Now()
	aboard := 2
	for range 10 {
		p.fly(now, aboard, aboard)
		now = now.Add(200 * time.Microsecond)
		for aboard = 2; p.Patience(aboard, now) > 0; aboard++ {
			now = now.Add(50 * time.Microsecond)
		}
	}
	if aboard < 16 {
		t.Errorf("a flight leaves with %d operations, want at least a millisecond's", aboard)
	}
}

func TestAFlightWithEverybodyOnBoardLeaves(t *testing.T) {
	p := Pacing{Gather: gatherFor, Full: 64}
	now := time.Now()
	for range 3 * crowdFlights {
		p.fly(now, 16, 0)
		now = now.Add(300 * time.Microsecond)
		if wait := p.Patience(15, now); wait <= 0 || wait > gatherFor {
			t.Fatalf("with one missing it waits for %v", wait)
		}
		if wait := p.Patience(16, now); wait > 0 {
			t.Fatalf("with everybody on board it waits for %v", wait)
		}
	}
	for range 2 * crowdFlights { // the crowd goes
		now = now.Add(gatherFor)
		if wait := p.Patience(1, now); wait > 0 {
			t.Fatalf("a charge waits for %v longer than it may", wait)
		}
		p.fly(now, 1, 0)
	}
	if wait := p.Patience(1, now); wait > 0 {
		t.Errorf("a lone charge waits for a crowd that is gone: %v", wait)
	}
}
