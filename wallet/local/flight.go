package local

import (
	"context"
	"time"
)

// flight is the records that reach the disk with one write and one sync.
type flight struct {
	segment  uint64 // base of the segment it belongs to
	start    uint64 // position of its frame
	sequence uint64
	frame    []byte // room for the header, and the records so far
	records  int

	landed chan struct{} // closed when it is durable or never will be
	err    error         // why it never will be; read after landed
}

func newFlight(segment, start, sequence uint64, buffer []byte) *flight {
	var header [frameHeader]byte
	return &flight{
		segment: segment, start: start, sequence: sequence,
		frame: append(buffer[:0], header[:]...), landed: make(chan struct{}),
	}
}

// end is the position at which the next record of the flight begins.
func (f *flight) end() uint64 { return f.start + uint64(len(f.frame)) }

// after is the position behind the flight's frame.
func (f *flight) after() uint64 { return f.start + uint64(frameSize(len(f.frame)-frameHeader)) }

// full reports whether the flight takes nobody on board any more, so that no
// frame is longer than a start would read.
func (f *flight) full() bool { return len(f.frame) >= maxFlight }

// land tells everybody on board how it went.
func (f *flight) land(err error) {
	f.err = err
	close(f.landed)
}

// wait waits until the flight has landed; a nil flight has.
func (f *flight) wait(ctx context.Context) error {
	if f == nil {
		return nil
	}
	if ctx.Done() == nil {
		<-f.landed
		return f.err
	}
	select {
	case <-f.landed:
		return f.err
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// pacing says when a flight leaves. A sync costs the processor as much as dozens
// of charges, so under load it pays to let more get on board; but a lone charge has
// nobody to wait for, and where everybody is on board there is nobody to come. How
// many there are, is the most that were seen to wait at once. The size of the last
// flight would not do: a sync is quick, so that flights which do not wait stay small
// under any load, and flights that wait for those of the last one only shrink.
type pacing struct {
	departed time.Time // when the last flight left
	flights  int       // since crowd was new
	crowd    int       // the most that have waited at once, on board and in the air
	before   int       // crowd of the crowdFlights flights before
	enough   int       // records with which the open flight leaves at once
}

const (
	gatherFor    = 2 * time.Millisecond // at most this long after the last flight a flight leaves
	fullFlight   = 64                   // records that are always enough
	quietCrowd   = 4                    // fewer are no load
	crowdFlights = 64                   // flights after which a crowd may be forgotten
)

// board is told how many wait, and reports whether the flight should look up: it
// has its first record, or enough.
func (p *pacing) board(aboard, inTheAir int) bool {
	p.crowd = max(p.crowd, aboard+inTheAir)
	return aboard == 1 || aboard == p.enough
}

// patience is how long a flight with records should still wait.
func (p *pacing) patience(aboard int, now time.Time) time.Duration {
	if aboard >= p.enough {
		return 0
	}
	return p.departed.Add(gatherFor).Sub(now)
}

// depart notes that a flight leaves.
func (p *pacing) depart(now time.Time) {
	p.departed = now
	if p.flights++; p.flights == crowdFlights {
		p.flights, p.before, p.crowd = 0, p.crowd, 0
	}
	p.enough = min(max(p.crowd, p.before), fullFlight)
	if p.enough < quietCrowd {
		p.enough = 1
	}
}
