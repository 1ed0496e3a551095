package redis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// flight is the questions that reach a shard in one command: they are carried out one
// after the other, in one atomic step with one entry of the journal.
type flight struct {
	questions []*question
	bytes     int
	keys      int // that questions need, some of them the same
	tag       uint64
	money     bool // one of them moves money
	via       string
	args      []any
	reply     reply
	repairs   uint64 // of the shard that had begun when it left

	alarm *time.Timer // for the end of its boarding; the shard's

	landed chan struct{}
	err    error // read after landed
}

func newFlight() *flight { return &flight{landed: make(chan struct{})} }

// add takes a question on board and returns its seat.
func (f *flight) add(q *question) int {
	f.questions = append(f.questions, q)
	f.bytes += len(q.text) + len(q.asked)
	f.keys += len(q.keys)
	f.money = f.money || q.ask.ofMoney()
	return len(f.questions) - 1
}

func (f *flight) full() bool {
	return len(f.questions) >= fullFlight || f.bytes >= fullFlightBytes || f.keys >= fullFlightKeys
}

func (f *flight) land(err error) {
	if err != nil {
		f.err = unavailable(err)
	}
	close(f.landed)
}

// wait waits until the flight has landed.
func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.landed:
		return f.err
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", wallet.ErrUnavailable, err) }

// daysKnown is how far from now an id may be to be looked up: its memory, and clocks
// that differ.
const daysKnown = wallet.MoneyMemory + 24*time.Hour

// fixedArgs are the arguments before the keys: the command, the function, the number of
// keys.
const fixedArgs = 3

// prepare makes the command: the keys, each once, and the questions with their numbers.
func (f *flight) prepare(s *shard) {
	now := s.ledger.now()
	hours := s.ofHours(now)
	args := make([]any, fixedArgs, fixedArgs+fixedKeys+hourKeys+8+2*len(f.questions))
	for i := range s.fixed {
		args = append(args, s.fixed[i])
	}
	for i := range hours.names {
		args = append(args, hours.names[i])
	}
	numbers := make(map[string]byte, 4)
	number := func(key string) byte {
		n, known := numbers[key]
		if !known {
			args = append(args, key)
			n = byte(len(args) - fixedArgs)
			numbers[key] = n
		}
		return n
	}
	var day int64
	var ofDay byte
	for _, q := range f.questions {
		made := q.id.Time()
		if away := now.Sub(made); away > daysKnown || away < -daysKnown {
			made = now // whatever is there, the id is stale
		}
		if ofDay == 0 || made.UnixMilli()/dayMillis != day {
			day = made.UnixMilli() / dayMillis
			ofDay = number(s.ofDay(made))
		}
		q.text[dayAt] = ofDay
		for i, key := range q.keys {
			q.text[questionSize+q.keysAt[i]] = number(key)
		}
	}
	keys := len(args) - fixedArgs
	at := "0" // the servers' own time
	if s.ledger.options.Clock != nil {
		at = strconv.FormatInt(now.UnixMilli(), 10)
	}
	f.tag = rand.Uint64() >> 1 //nolint:gosec // it tells two histories of a shard apart, and is no secret
	args = append(args, at, hours.first, f.tag, s.ledger.identity)
	for _, q := range f.questions {
		args = append(args, q, &q.asked)
	}
	args[0], args[1], args[2] = "fcall", s.ledger.library.flies(), keys
	f.args = args
}

// onlyLook has a flight that changes nothing carried out by a server that takes no writes,
// and reports whether it is one.
func (f *flight) onlyLook(of *library) bool {
	for _, q := range f.questions {
		if q.ask.changes() {
			return false
		}
	}
	f.args[1] = of.looks()
	return true
}

// send sends the flight once. The answer counts when as many replicas have it as the
// durability asks for.
func (f *flight) send(s *shard) error {
	ctx := s.ledger.background
	c, err := s.client(ctx, f.via)
	if err != nil {
		return err
	}
	f.reply = reply{}
	flown := goredis.NewSliceCmd(ctx, f.args...)
	replicas := s.ledger.promises.replicasFor(f.money)
	if replicas == 0 && f.via == "" {
		if err := c.Process(ctx, flown); err != nil {
			return err
		}
		return f.reply.decode(flown.Val())
	}
	pipe := c.Pipeline()
	if f.via != "" {
		_ = pipe.Process(ctx, goredis.NewStatusCmd(ctx, "asking"))
	}
	_ = pipe.Process(ctx, flown)
	waited := goredis.NewIntCmd(ctx, "wait", replicas, s.ledger.options.Timeout.Milliseconds()*3/4)
	if replicas > 0 {
		_ = pipe.Process(ctx, waited)
	}
	_, failed := pipe.Exec(ctx)
	if err := flown.Err(); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	if got := int(waited.Val()); got < replicas && !s.ledger.promises.without(ctx, replicas, f.money) {
		return fmt.Errorf("the flight has reached %d replicas of %d in time", got, replicas)
	}
	return f.reply.decode(flown.Val())
}

// client is the server to send to: an address that a server has named, or the slot's
// master.
func (s *shard) client(ctx context.Context, via string) (*goredis.Client, error) {
	if via != "" {
		return s.ledger.servers.node(ctx, via)
	}
	return s.ledger.servers.master(ctx, s.fixed[keyMeta])
}

func hasPrefix(err error, prefix string) bool { return strings.HasPrefix(err.Error(), prefix) }
