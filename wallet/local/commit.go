package local

import (
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// commit carries a record out and puts it on board of the open flight, with l.mu
// held. The caller waits for the flight before it answers.
func (l *Ledger) commit(r *record) (*flight, error) {
	f := l.boarding
	at := f.end()
	if r.hasWallet() && r.kind != wallet.KindCreate {
		r.prev = l.state.purses.list.at(r.walletAt).last
	}
	if r.has(flagBetween) {
		r.otherPrev = l.state.purses.list.at(r.otherAt).last
	}
	if r.rule != "" {
		r.ruleAt, r.ruleKnown = l.state.passes.number(r.rule)
	}
	if err := l.state.apply(r, at); err != nil {
		l.stop(fmt.Errorf("%w: a record of kind %s that cannot be: %w", wallet.ErrCorrupt, r.kind, err))
		return nil, l.failure
	}
	f.frame = r.append(f.frame)
	f.records++
	inTheAir := 0
	if l.flying != nil {
		inTheAir = l.flying.records
	}
	if l.pacing.Board(f.records, inTheAir) {
		l.signal()
	}
	return f, nil
}

// signal tells the writer to look at the open flight again.
func (l *Ledger) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// write is the writer: it takes flights to the disk, one after the other.
func (l *Ledger) write() {
	defer close(l.written)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		f, patience, done := l.depart()
		switch {
		case done:
			return
		case f != nil:
			l.land(f, l.journal.append(f))
			continue
		}
		timer.Reset(patience)
		select {
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// depart returns the open flight if it is time for it to leave, else how long
// it may gather, or done when there will be none.
func (l *Ledger) depart() (f *flight, patience time.Duration, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f = l.boarding
	switch now := time.Now(); { // pacing is about this machine, not about the books: not the injected clock
	case l.failure != nil:
		return nil, 0, true
	case f.records == 0:
		return nil, time.Hour, l.closing
	default:
		if patience = l.pacing.Patience(f.records, now); patience > 0 && !l.closing {
			return nil, patience, false
		}
		l.pacing.Depart(now)
	}
	l.flying, l.boarding = f, l.follow(f)
	l.room.Broadcast()
	return f, 0, false
}

// follow returns the empty flight after f.
func (l *Ledger) follow(f *flight) *flight {
	buffer := l.spare
	l.spare = nil
	return l.flightAt(f.segment, f.after(), f.sequence+1, buffer)
}

// flightAt returns an empty flight at a position of a segment, or at the
// beginning of the next segment where this one is full.
func (l *Ledger) flightAt(base, at, sequence uint64, buffer []byte) *flight {
	if at-base >= l.segmentSize {
		base, at = at, at+segmentHeader
	}
	return newFlight(base, at, sequence, buffer)
}

// land ends a flight. After a failed write or sync nobody knows what is on the
// disk, and a second try may succeed without having written anything: the
// ledger stops, and the next Open finds out.
func (l *Ledger) land(f *flight, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flying = nil
	if err != nil {
		l.stop(err)
		f.land(l.failure)
		return
	}
	l.durable = f.after()
	l.durableSequence = f.sequence + 1
	if cap(f.frame) <= maxKept {
		l.spare = f.frame
	}
	f.frame = nil
	if f.segment != l.sealedTo {
		l.sealedTo = f.segment
		l.wantSnapshot()
	}
	f.land(nil)
}

// maxKept is the capacity of a flight's buffer that is worth keeping.
const maxKept = 1 << 20

// stop ends the ledger's service, with l.mu held: everything from now on answers
// ErrStopped. What is in memory may never have reached the disk.
func (l *Ledger) stop(err error) {
	if l.failure != nil {
		return
	}
	err = cured(err, l.dir)
	l.failure = fmt.Errorf("%w: %w", wallet.ErrStopped, err)
	l.log.Error("ledger stopped: " + err.Error() + ": the paywall tries again by itself")
	l.boarding.land(l.failure)
	l.room.Broadcast()
	l.signal()
}

// settled returns the flight that an answer must wait for if it rests on the
// journal up to and with position at, with l.mu held; nil where it is durable.
func (l *Ledger) settled(at uint64) *flight {
	switch {
	case at < l.durable:
		return nil
	case l.boarding.records > 0 && at >= l.boarding.start:
		return l.boarding
	}
	return l.flying
}
