package redis

import (
	"context"
	"errors"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// rewind brings the archive back to where the servers' journal left it, when a failover
// has lost entries that had been archived, and returns the entries behind that. It waits
// until the first of them is old enough to be archived: until then another server may
// come back that has what was lost.
func (a *archivist) rewind(ctx context.Context, c *goredis.Client, s *archiving, last Place, now time.Time) ([]entry, error) {
	common, err := a.common(ctx, c, s, last)
	if err != nil {
		return nil, err
	}
	found, err := s.stream(ctx, c, common.Sequence+1, lastSequence, s.most)
	if err == nil {
		err = s.checkRow(found, common.Sequence+1)
	}
	if err != nil {
		return nil, err
	}
	ripe, err := a.ripe(found, now)
	if err != nil || len(ripe) == 0 {
		return nil, err
	}
	a.ledger.log.Error("a failover has lost entries of the journal that had been archived; the archive keeps them as void, and goes on with what the servers have",
		"shard", s.number, "archived_to", last.Sequence, "void_behind", common.Sequence)
	if err := a.archive.Rewind(ctx, s.number, common); err != nil {
		return nil, archiveError{err}
	}
	return found, nil
}

// common is the newest entry that the archive and the servers' memory both have. What
// is before it is the same in both, so that it is found by halving.
func (a *archivist) common(ctx context.Context, c *goredis.Client, s *archiving, last Place) (Place, error) {
	oldest, err := s.stream(ctx, c, 0, lastSequence, 1)
	if err != nil {
		return Place{}, err
	}
	newest, err := s.newestInMemory(ctx, c)
	if err != nil {
		return Place{}, err
	}
	if len(oldest) == 0 || newest < oldest[0].sequence {
		return Place{}, nil // it changes just now
	}
	first := oldest[0].sequence
	same, place, err := a.same(ctx, c, s, first)
	switch {
	case errors.Is(err, errUnreadable):
		// Nobody can tell; what the servers have is written once more.
		return Place{Sequence: first - 1}, nil
	case err != nil:
		return Place{}, err
	case !same:
		return Place{}, archiveError{errNothingCommon}
	}
	// The first differing one is in (low, high].
	low, high := place, min(newest, last.Sequence)+1
	for high-low.Sequence > 1 {
		middle := low.Sequence + (high-low.Sequence)/2
		same, place, err := a.same(ctx, c, s, middle)
		switch {
		case err != nil:
			return Place{}, err
		case same:
			low = place
		default:
			high = middle
		}
	}
	return low, nil
}

var errNothingCommon = errors.New("no entry in the servers' memory is the one that the archive has of its number: one of them is an older copy, or of another history of this ledger; find out which, and restore the other")

// same reports whether the archive has the same entry of a number as the servers.
func (a *archivist) same(ctx context.Context, c *goredis.Client, s *archiving, sequence uint64) (same bool, place Place, err error) {
	there, err := s.stream(ctx, c, sequence, sequence, 1)
	if err != nil || len(there) == 0 {
		return false, place, err
	}
	err = a.archive.Read(ctx, s.number, sequence, sequence, func(e Entry) error {
		same, place = e.Tag == there[0].tag, e.place()
		return nil
	})
	if err != nil {
		err = archiveError{err}
	}
	return same, place, err
}
