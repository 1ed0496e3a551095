package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// errDiverged says that the servers have other entries than the archive, or fewer.
var errDiverged = errors.New("a failover has lost entries that had been archived")

// after reads the next entries behind the archive's newest, which must be the one that
// the servers have of that number.
func (s *archiving) after(ctx context.Context, c *goredis.Client, last Place) ([]entry, error) {
	found, err := s.stream(ctx, c, last.Sequence, lastSequence, s.most+1)
	if err != nil {
		s.most = max(1, s.most/2) // they may be too large for one answer in time
		return nil, err
	}
	s.most = min(2*s.most, entriesAtOnce)
	switch {
	case len(found) == 0:
		newest, err := s.newestInMemory(ctx, c)
		if err == nil && last.Sequence > 0 {
			err = errDiverged
			if newest == 0 {
				err = archiveError{fmt.Errorf("the archive ends at entry %d and the servers have none at all: see to it that the right data is loaded", last.Sequence)}
			}
		}
		return nil, err
	case found[0].sequence == last.Sequence:
		if last.Tag != 0 && found[0].tag != last.Tag {
			return nil, errDiverged
		}
		found = found[1:]
	case found[0].sequence > last.Sequence+1:
		return nil, gap(last.Sequence, found[0].sequence)
	}
	return found, s.checkRow(found, last.Sequence+1)
}

func gap(last, first uint64) error {
	return archiveError{fmt.Errorf("the archive ends at entry %d, and the servers' memory begins at %d: entries between are missing, because something else has trimmed the journal or this is an older copy of the archive; point the archive at the directory that has them, or restore them there",
		last, first)}
}

// checkRow makes sure that entries follow each other.
func (s *archiving) checkRow(found []entry, from uint64) error {
	for i := range found {
		if found[i].sequence != from+uint64(i) {
			return archiveError{fmt.Errorf("%w: the journal of shard %d has no entry %d", wallet.ErrCorrupt, s.number, from+uint64(i))}
		}
	}
	return nil
}

// ripe are the first of some entries that are old enough to be archived.
func (a *archivist) ripe(found []entry, now time.Time) ([]Entry, error) {
	var ripe []Entry
	for i := range found {
		e := &found[i]
		at, err := e.time()
		if err != nil {
			return nil, archiveError{err}
		}
		if at.Add(a.pace.after).After(now) {
			break
		}
		ripe = append(ripe, Entry{Sequence: e.sequence, Tag: e.tag, Text: e.text})
	}
	return ripe, nil
}

// time is when the flight of an entry was carried out.
func (e *entry) time() (time.Time, error) {
	d := reader{rest: []byte(e.text[:min(len(e.text), 7)])}
	if version := d.uint(1); version != entryVersion || d.failed {
		return time.Time{}, fmt.Errorf("%w: the journal's entry %d is of version %d", wallet.ErrCorrupt, e.sequence, version)
	}
	at := timeOf(int64(d.uint(6)))
	if d.failed {
		return time.Time{}, fmt.Errorf("%w: the journal's entry %d does not read", wallet.ErrCorrupt, e.sequence)
	}
	return at, nil
}

const lastSequence = 1 << 62 // no journal gets there

// stream reads entries once, closed or not: the ledger's last entries are archived
// while it closes. The next round is the second try.
func (s *archiving) stream(ctx context.Context, c *goredis.Client, from, to uint64, most int64) ([]entry, error) {
	messages, err := c.XRangeN(ctx, s.fixed[keyJournal], strconv.FormatUint(from, 10), strconv.FormatUint(to, 10), most).Result()
	if err != nil {
		return nil, err
	}
	return entriesOf(messages)
}

func entriesOf(messages []goredis.XMessage) ([]entry, error) {
	found := make([]entry, len(messages))
	for i, m := range messages {
		var err error
		if found[i], err = entryOf(m); err != nil {
			return nil, archiveError{err}
		}
	}
	return found, nil
}

// newestInMemory is the number of the newest entry that the servers have; zero: none.
func (s *archiving) newestInMemory(ctx context.Context, c *goredis.Client) (uint64, error) {
	messages, err := c.XRevRangeN(ctx, s.fixed[keyJournal], "+", "-", 1).Result()
	if err != nil {
		return 0, err
	}
	found, err := entriesOf(messages)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0].sequence, nil
}
