package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// operate asks a question that carries out an operation, and makes the receipt of what
// comes back.
func (s *shard) operate(ctx context.Context, q *question) (wallet.Receipt, error) {
	a, err := s.ask(ctx, q)
	if err != nil {
		return wallet.Receipt{}, err
	}
	return s.conclude(ctx, q, &a)
}

// conclude makes the receipt of an answer.
func (s *shard) conclude(ctx context.Context, q *question, a *answer) (wallet.Receipt, error) {
	if a.outcome == outcomeKnown {
		return s.replay(ctx, q, a)
	}
	return a.receipt(q.id), nil
}

// replay answers an operation whose id took effect before: with the first receipt if
// it asks for the same, else with Conflict.
func (s *shard) replay(ctx context.Context, q *question, a *answer) (wallet.Receipt, error) {
	if ofCharge := memoryOf(q.asked.kind()) == ofCharges; ofCharge == (a.flags == classMoney) {
		return wallet.Receipt{Outcome: wallet.Conflict}, nil
	}
	r, err := s.recordOf(ctx, q, a)
	switch {
	case err != nil:
		return wallet.Receipt{}, err
	case idKeyOf(r.asked.id()) != idKeyOf(q.id):
		return wallet.Receipt{}, unavailable(errLost)
	case !bytes.Equal(r.asked, q.asked):
		return wallet.Receipt{Outcome: wallet.Conflict}, nil
	}
	return r.receipt(wallet.Replayed)
}

// errLost: whether the operation has taken effect is open again until its id is asked for
// once more.
var errLost = errors.New("a failover has lost what the ledger has just found")

// idMemory says how long an operation's id is remembered.
type idMemory uint8

const (
	ofCharges idMemory = iota // wallet.ChargeMemory
	ofMoney                   // wallet.MoneyMemory
)

// memoryOf is the memory of a kind that is asked for.
func memoryOf(kind wallet.Kind) idMemory {
	switch kind {
	case wallet.KindCharge, wallet.KindBuy, wallet.KindRefund, wallet.KindHold, wallet.KindCapture, wallet.KindRelease:
		return ofCharges
	}
	return ofMoney
}

// recordOf reads the record of a known id: of a charge in the journal, of money in the
// hash of its day, since the journal may not go back that far.
func (s *shard) recordOf(ctx context.Context, q *question, a *answer) (*record, error) {
	if a.flags != classMoney {
		return s.recordAt(ctx, a.position)
	}
	key := idKeyOf(q.id)
	var kept string
	err := s.read(ctx, func(ctx context.Context, c *goredis.Client) (err error) {
		kept, err = c.HGet(ctx, s.ofDay(q.id.Time()), string(q.wallet[:])+string(key[:])).Result()
		return err
	})
	if err != nil {
		return nil, err
	}
	if kept == "" {
		return nil, unavailable(errLost)
	}
	return decodeKept(kept)
}

// decodeKept reads a record that stands alone, behind its position and its time.
func decodeKept(kept string) (*record, error) {
	d := reader{rest: []byte(kept)}
	r := &record{position: d.uint(7), time: int64(d.uint(6))}
	if r.decode(&d); d.failed || len(d.rest) > 0 {
		return nil, fmt.Errorf("%w: the record at %d does not read", wallet.ErrCorrupt, r.position)
	}
	return r, nil
}

// recordAt reads a record in the journal.
func (s *shard) recordAt(ctx context.Context, position uint64) (r *record, err error) {
	sequence, place := position/places, position%places
	err = s.journal(ctx, sequence, sequence, func(e entry) error {
		all, err := records(e.sequence, e.text)
		if err == nil && place >= uint64(len(all)) {
			err = fmt.Errorf("%w: the journal's entry %d has no record %d", wallet.ErrCorrupt, sequence, place)
		}
		if err == nil {
			r = &all[place]
		}
		return err
	})
	if err != nil && !errors.Is(err, wallet.ErrUnavailable) {
		if newest, failed := s.newest(ctx); failed == nil && newest < sequence {
			err = unavailable(errLost)
		}
	}
	return r, err
}
