package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/pacing"
)

// shard is one part of the ledger: some wallets, and all that is theirs, in one slot.
// Questions for it share flights.
type shard struct {
	*keys
	number int
	ledger *Ledger

	mu       sync.Mutex
	boarding *flight // takes questions, or nil
	inTheAir int     // flights that are on their way
	aloft    int     // questions on board of them
	pacing   pacing.Pacing
	refused  error     // why the last flight was given up, while that may still be so
	readable bool      // and it was because of what it writes: who only looks is answered
	retryAt  time.Time // when the next one may try

	gate  sync.RWMutex // held by flights; for writing by who repairs the shard
	acked acked        // what was acknowledged, for a failover that loses it
}

const (
	// mostInTheAir is how many flights of a shard are on their way at once: one is
	// carried out while the next is on the wire.
	mostInTheAir = 2

	gatherFor       = time.Millisecond
	enoughFlight    = 128     // questions with which a flight waits for no more
	fullFlight      = 256     // questions of one flight
	fullFlightBytes = 1 << 19 // of its questions
	fullFlightKeys  = 200     // that they need: a key's number is a byte

	// retryEvery is how long questions are refused at once after a flight was given
	// up: requests must not pile up before servers that do not answer.
	retryEvery = 250 * time.Millisecond
)

// ask puts a question to the shard and waits for the answer.
func (s *shard) ask(ctx context.Context, q *question) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, unavailable(err)
	}
	q.encode()
	f, seat, err := s.board(q)
	if err != nil {
		return answer{}, err
	}
	if err := f.wait(ctx); err != nil {
		return answer{}, err
	}
	return f.reply.answer(seat), nil
}

// board takes a question into the next flight that has room.
func (s *shard) board(q *question) (f *flight, seat int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ledger.refusal(); err != nil {
		return nil, 0, err
	}
	if s.refused != nil && (q.ask.changes() || !s.readable) {
		if time.Now().Before(s.retryAt) {
			return nil, 0, s.refused
		}
		s.retryAt = time.Now().Add(retryEvery) // this one tries
	}
	f = s.boarding
	if f == nil || f.full() {
		if f != nil {
			s.depart(f) // full: it does not wait for its turn
		}
		f = newFlight()
		s.boarding = f
	}
	seat = f.add(q)
	if s.pacing.Board(len(f.questions), s.aloft) && s.mayDepart(f) {
		s.depart(f)
	}
	return f, seat, nil
}

// mayDepart reports whether it is time for the boarding flight to leave, with s.mu held.
// If not, somebody will ask again: who lands, who fills it, or a timer.
func (s *shard) mayDepart(f *flight) bool {
	if s.inTheAir >= mostInTheAir {
		return false
	}
	patience := s.pacing.Patience(len(f.questions), time.Now())
	if patience <= 0 || s.ledger.closing.Load() {
		return true
	}
	if f.alarm == nil {
		f.alarm = time.AfterFunc(patience, func() { s.callUp(f) })
	}
	return false
}

// callUp lets a flight leave that has gathered for long enough.
func (s *shard) callUp(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.boarding == f && s.inTheAir < mostInTheAir {
		s.depart(f)
	}
}

// lastCall lets the last flight of a ledger that closes leave: whoever has seen the ledger
// open is on board.
func (s *shard) lastCall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.boarding != nil && s.mayDepart(s.boarding) {
		s.depart(s.boarding)
	}
}

// depart sends the boarding flight off, with s.mu held.
func (s *shard) depart(f *flight) {
	s.leave(f)
	s.inTheAir++
	s.ledger.flights.Add(1)
	go s.fly(f)
}

// leave notes that the boarding flight leaves, with s.mu held.
func (s *shard) leave(f *flight) {
	s.boarding = nil
	s.aloft += len(f.questions)
	s.pacing.Depart(time.Now())
	if f.alarm != nil {
		f.alarm.Stop()
	}
}

// fly carries flights out, until none is waiting.
func (s *shard) fly(f *flight) {
	defer s.ledger.flights.Done()
	for f != nil {
		err := s.deliver(f)
		s.mu.Lock()
		s.note(f, err)
		s.inTheAir--
		s.aloft -= len(f.questions)
		next := s.boarding
		if next != nil && s.mayDepart(next) {
			s.leave(next)
			s.inTheAir++
		} else {
			next = nil
		}
		s.mu.Unlock()
		f.land(err)
		f = next
	}
}

// note keeps in mind whether the shard can be reached, with s.mu held.
func (s *shard) note(f *flight, err error) {
	switch {
	case err == nil && s.refused != nil && s.readable && !f.reply.written:
		// which says nothing about what writes
	case err == nil && s.refused != nil:
		s.refused = nil
		s.ledger.down.Add(-1)
		s.ledger.log.Info("the ledger's Redis answers again", "shard", s.number)
	case err != nil && !errors.Is(err, errClosed):
		if s.refused == nil {
			s.ledger.down.Add(1)
			s.ledger.log.Error("the ledger's Redis cannot be used: "+cure(err)+": the paywall answers 503 and tries again by itself",
				"shard", s.number, "error", err)
		}
		s.refused = fmt.Errorf("%w: %w", wallet.ErrUnavailable, err)
		s.readable = refusesWrites(err)
		s.retryAt = time.Now().Add(retryEvery)
	}
}

// up reports whether the shard answered when it was last asked.
func (s *shard) up() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused == nil
}

// carryOut sends a flight until it is answered, patience is over, or an error that
// another try does not cure. Sending it again is harmless: who was on board and has
// taken effect is recognised by the id.
func (s *shard) carryOut(f *flight) (err error) {
	l := s.ledger
	deadline := time.Now().Add(l.options.Patience)
	if !s.up() { // those on board try whether it is up again, and need not wait as long
		deadline = time.Now().Add(l.options.Timeout)
	}
	f.prepare(s)
	s.gate.RLock()
	defer s.gate.RUnlock()
	f.repairs = s.acked.repairsBegun()
	for n := 0; ; n++ {
		err = f.send(s)
		if err == nil && f.reply.complete {
			return nil
		}
		if err == nil {
			n = 0 // there was more due than one flight can carry out: it has come nearer
			continue
		}
		if l.background.Err() != nil || time.Now().Add(pause(n)).After(deadline) {
			return err
		}
		if !s.passing(f, err) {
			select {
			case <-l.background.Done():
			case <-time.After(pause(n)):
			}
		}
	}
}

// passing does what an error asks for, and reports whether the flight may leave again
// at once.
func (s *shard) passing(f *flight, err error) bool {
	ctx, cancel := context.WithTimeout(s.ledger.background, s.ledger.options.Timeout)
	defer cancel()
	r := classify(err)
	f.via = r.ask
	switch {
	case r.ask != "":
		return true
	case r.moved:
		s.ledger.servers.cluster.ReloadState(ctx)
		return false
	case hasPrefix(err, notLoaded):
		return s.ledger.loadLibrary(ctx) == nil
	case refusesWrites(err) && f.args[1] != s.ledger.library.looks():
		return f.onlyLook(s.ledger.library)
	}
	return false
}
