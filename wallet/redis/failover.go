package redis

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A failover may lose what was acknowledged: a replica takes over that had not received
// all, or a server comes back that had not synced all. Each process keeps what was
// acknowledged to it last, notices that the journal no longer has it, and carries it out
// again: what has survived is recognised by its id, and what has not takes effect now.

// acked is what a process remembers of a shard.
type acked struct {
	mu          sync.Mutex
	repairs     uint64 // begun so far
	connections uint64 // made when the journal was last compared
	sequence    uint64 // of the newest entry that was acknowledged to this process
	tag         uint64 // that tells it from another of the same number
	flights     []ackedFlight
	bytes       int

	refused      []*question // in a repair, and may not be any more
	refusedUntil time.Time   // when that is no longer hoped for
}

// ackedFlight is the questions of a flight that took effect.
type ackedFlight struct {
	at        time.Time
	questions []*question
	bytes     int
}

const (
	ackedFor   = 10 * time.Second // before the last acknowledgement
	ackedBytes = 8 << 20          // of a shard's questions
)

// changes reports whether a question may take effect, so that it must be carried out
// again where that is lost. What shares parts of accounts out is not: it only lets
// others take effect.
func (a ask) changes() bool {
	switch a {
	case askStanding, askFind, askLook, askPrecheck, askHistory, askShare, askResume, askScan, askSweep, askRegisters:
		return false
	}
	return true
}

// deliver carries a flight out and remembers it. One that was answered before a failover
// that lost it is in nobody's memory when the shard is repaired: where a repair has begun
// since it left, it is carried out again.
func (s *shard) deliver(f *flight) error {
	for {
		if err := s.carryOut(f); err != nil {
			return err
		}
		if remembered, err := s.remember(f); remembered || err != nil {
			return err
		}
	}
}

// remember is called when a flight has been answered and before anybody on board hears
// so. It compares the journal where a new connection may lead to another server, and
// repairs the shard first where something is missing. It reports whether the flight
// counts.
func (s *shard) remember(f *flight) (bool, error) {
	connections := s.ledger.servers.connections.Load()
	s.acked.mu.Lock()
	suspicious := s.acked.connections != connections || f.reply.sequence < s.acked.sequence
	s.acked.mu.Unlock()
	if suspicious {
		if err := s.compare(connections); err != nil {
			return false, err
		}
	}
	return s.acked.add(f, s.ledger.promises.loses.Load()), nil
}

func (a *acked) repairsBegun() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.repairs
}

// add keeps the questions of a flight that took effect, and forgets the oldest. It
// reports false where a repair has begun since the flight left.
func (a *acked) add(f *flight, keep bool) bool {
	kept := ackedFlight{at: time.Now()}
	if keep {
		for i, q := range f.questions {
			if answer := f.reply.answer(i); q.ask.changes() && (answer.outcome == wallet.Applied || answer.outcome == outcomeKnown) {
				kept.questions = append(kept.questions, q)
				kept.bytes += len(q.text) + len(q.asked)
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if f.repairs != a.repairs {
		return false
	}
	if f.reply.written && f.reply.sequence > a.sequence {
		a.sequence, a.tag = f.reply.sequence, f.tag
	}
	if len(kept.questions) == 0 {
		return true
	}
	a.flights, a.bytes = append(a.flights, kept), a.bytes+kept.bytes
	gone := 0
	for gone < len(a.flights)-1 && (a.bytes > ackedBytes || kept.at.Sub(a.flights[gone].at) > ackedFor) {
		a.bytes -= a.flights[gone].bytes
		gone++
	}
	a.flights = slices.Delete(a.flights, 0, gone)
	return true
}

// compare finds out whether the journal still has what was acknowledged, and repairs
// the shard where it has not. Nothing flies meanwhile.
func (s *shard) compare(connections uint64) error {
	s.gate.Lock()
	defer s.gate.Unlock()
	a := &s.acked
	a.mu.Lock()
	known := a.connections == connections
	sequence, tag := a.sequence, a.tag
	a.mu.Unlock()
	ctx, cancel := context.WithTimeout(s.ledger.background, s.ledger.options.Patience)
	defer cancel()
	if sequence > 0 {
		lost, err := s.lost(ctx, sequence, tag)
		if err != nil {
			return err
		}
		if lost {
			if err := s.repair(ctx); err != nil {
				return fmt.Errorf("repairing a shard after a failover that lost something: %w", err)
			}
		}
	}
	if !known {
		a.mu.Lock()
		a.connections = connections
		a.mu.Unlock()
	}
	return nil
}

// lost reports whether the journal does not have an entry that it had.
func (s *shard) lost(ctx context.Context, sequence, tag uint64) (bool, error) {
	found, err := s.entries(ctx, sequence, sequence, 1)
	if err != nil {
		return false, err
	}
	if len(found) == 1 {
		return found[0].tag != tag, nil
	}
	oldest, err := s.entries(ctx, 0, 1<<62, 1)
	if err != nil {
		return false, err
	}
	return len(oldest) == 0 || oldest[0].sequence <= sequence, nil // else it has been archived
}

// repair carries out again what was acknowledged, in order, with s.gate held. Until all of
// it is done the journal counts as one that lost something: the next try begins anew.
func (s *shard) repair(ctx context.Context) error {
	l, a := s.ledger, &s.acked
	l.log.Error("a failover has lost what was acknowledged; carrying it out again", "shard", s.number)
	if err := s.resume(ctx); err != nil {
		return err
	}
	a.mu.Lock()
	a.repairs++
	flights := slices.Clone(a.flights)
	a.mu.Unlock()
	var survived, again int
	var sequence, tag uint64
	var refused []*question
	for _, kept := range flights {
		f := newFlight()
		for _, q := range kept.questions {
			f.add(q)
		}
		f.prepare(s)
		if err := s.sendPatiently(ctx, f); err != nil {
			return err
		}
		for i, q := range f.questions {
			switch f.reply.answer(i).outcome {
			case wallet.Applied:
				again++
			case outcomeKnown:
				survived++
			default:
				refused = append(refused, q)
			}
		}
		if f.reply.written {
			sequence, tag = f.reply.sequence, f.tag
		}
	}
	a.mu.Lock()
	a.sequence, a.tag = sequence, tag
	a.refused, a.refusedUntil = refused, time.Now().Add(ackedFor)
	a.mu.Unlock()
	l.log.Warn("the shard is repaired as far as this process remembers", "shard", s.number,
		"carried_out_again", again, "survived", survived, "refused_now", len(refused))
	return nil
}

// askAgain carries out what was refused when the shard was repaired: it may rest on what
// another process had to carry out again first, such as a view on a top-up.
func (s *shard) askAgain() error {
	a := &s.acked
	a.mu.Lock()
	refused, until := a.refused, a.refusedUntil
	a.mu.Unlock()
	var still []*question
	for left := refused; len(left) > 0; {
		f := newFlight()
		for len(left) > 0 && !f.full() {
			f.add(left[0])
			left = left[1:]
		}
		if err := s.deliver(f); err != nil {
			return err
		}
		for i, q := range f.questions {
			if o := f.reply.answer(i).outcome; o != wallet.Applied && o != outcomeKnown {
				still = append(still, q)
			}
		}
	}
	hopeless := len(still) > 0 && time.Now().After(until)
	switch {
	case hopeless:
		s.ledger.log.Error("what a failover has lost cannot all be carried out again: the books lack views that were paid for, or other movements of money",
			"shard", s.number, "refused", len(still))
		still = nil
	case len(still) == 0 && len(refused) > 0:
		s.ledger.log.Info("what was refused when the shard was repaired is carried out", "shard", s.number)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refusedUntil.Equal(until) { // else it has been repaired again meanwhile
		a.refused = still
	}
	return nil
}

// resume lets the shard count on behind what other shards have received from it.
func (s *shard) resume(ctx context.Context) error {
	for _, to := range s.ledger.shards {
		if to == s {
			continue
		}
		var last string
		if err := to.read(ctx, func(ctx context.Context, c *goredis.Client) (err error) {
			last, err = c.HGet(ctx, to.fixed[keyMeta], arrivedFrom(s.number)).Result()
			return err
		}); err != nil {
			return err
		}
		var n uint64
		if _, err := fmt.Sscan(last, &n); err != nil {
			continue // nothing has ever arrived
		}
		q := &question{ask: askResume, rest: appendUint(appendUint(nil, uint64(to.number), 2), n, 7)}
		q.encode()
		f := newFlight()
		f.add(q)
		f.prepare(s)
		if err := s.sendPatiently(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// sendPatiently sends a flight until it is answered or ctx ends.
func (s *shard) sendPatiently(ctx context.Context, f *flight) error {
	for n := 0; ; n++ {
		err := f.send(s)
		if err == nil && f.reply.complete {
			return nil
		}
		if err == nil || s.passing(f, err) {
			continue
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause(n)):
		}
	}
}
