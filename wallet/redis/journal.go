package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// entriesAtOnce is how many entries of the journal are read at once: each may be of a
// full flight.
const entriesAtOnce = 64

// newest is the number of the journal's newest entry.
func (s *shard) newest(ctx context.Context) (sequence uint64, err error) {
	err = s.read(ctx, func(ctx context.Context, c *goredis.Client) error {
		text, err := c.HGet(ctx, s.fixed[keyMeta], "seq").Result()
		if err != nil {
			return err
		}
		sequence, err = strconv.ParseUint(text, 10, 64)
		return err
	})
	return sequence, err
}

var errNoArchive = errors.New("the older part of the journal has been archived, and this process has no archive: ask the one that has (option archive)")

// journal calls do for the entries from one number to another, both included, in order.
// All of them must be there.
func (s *shard) journal(ctx context.Context, from, to uint64, do func(e entry) error) error {
	if from > to {
		return nil
	}
	for from <= to {
		some, err := s.entries(ctx, from, to, entriesAtOnce)
		if err != nil {
			return err
		}
		if len(some) == 0 || some[0].sequence != from {
			end := to
			if len(some) > 0 {
				end = some[0].sequence - 1
			}
			if from, err = s.archived(ctx, from, end, do); err != nil {
				return err
			}
			continue
		}
		for _, e := range some {
			if e.sequence != from {
				return fmt.Errorf("%w: the journal of shard %d has no entry %d", wallet.ErrCorrupt, s.number, from)
			}
			if err := do(e); err != nil {
				return err
			}
			from++
		}
	}
	return nil
}
