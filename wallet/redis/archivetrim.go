package redis

import (
	"context"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// trimAtOnce is how many entries one command trims: it holds all others up.
const trimAtOnce = 10_000

// trim takes out of the servers' memory what is archived and older than Keep. The
// archive's newest entry stays, so that both ends can always be compared, and with it
// the journal's newest.
func (a *archivist) trim(ctx context.Context, c *goredis.Client, s *archiving, archived Place, now time.Time) error {
	if archived.Sequence == 0 || time.Since(s.trimmed) < a.pace.trim {
		return nil
	}
	first, until, err := a.trimmable(ctx, c, s, archived.Sequence, now.Add(-a.pace.keep))
	if err != nil {
		return err
	}
	for first < until {
		first = min(first+trimAtOnce, until)
		if err := c.XTrimMinID(ctx, s.fixed[keyJournal], strconv.FormatUint(first, 10)).Err(); err != nil {
			return err
		}
	}
	s.trimmed = time.Now()
	return nil
}

// trimmable returns the oldest entry in memory, and the oldest that is not to be
// trimmed: not older than a time, or the last one. Entries are in the order of their
// times, so that it is found by halving.
func (a *archivist) trimmable(ctx context.Context, c *goredis.Client, s *archiving, last uint64, before time.Time) (first, until uint64, err error) {
	oldest, err := s.stream(ctx, c, 0, lastSequence, 1)
	if err != nil || len(oldest) == 0 || oldest[0].sequence >= last {
		return 0, 0, err
	}
	first, until = oldest[0].sequence, last
	low := first // all before it are to be trimmed
	for low < until {
		middle := low + (until-low)/2
		found, err := s.stream(ctx, c, middle, middle, 1)
		if err != nil || len(found) == 0 {
			return 0, 0, err // it changes just now
		}
		at, err := found[0].time()
		switch {
		case err != nil:
			return 0, 0, archiveError{err}
		case !at.After(before):
			low = middle + 1
		default:
			until = middle
		}
	}
	return first, until, nil
}
