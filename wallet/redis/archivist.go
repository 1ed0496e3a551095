package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// archivist brings the journal of every shard into the archive, and trims it in the
// servers' memory. Whatever goes wrong it says once and tries again: the ledger goes on,
// and the servers' memory fills.
type archivist struct {
	ledger  *Ledger
	archive Archive
	pace    pace
	name    string // of the archive
	said    string // about the archive as a whole
	shards  []*archiving
}

// archiving is one shard's.
type archiving struct {
	*shard
	most    int64     // entries to ask for at once
	trimmed time.Time // when that was last looked at
	said    string
}

// pace is how the archivist works. Tests have another one.
type pace struct {
	every time.Duration // a round
	after time.Duration // it archives an entry
	keep  time.Duration // it leaves an archived entry in the servers' memory
	trim  time.Duration // between two looks at what can be trimmed
}

const (
	archiveEvery = time.Second
	// archiveAfter lets a failover's repair come first: what has been archived by then
	// is what the servers agree on.
	archiveAfter = 10 * time.Second
	trimEvery    = time.Minute

	// batchesAtOnce is how often the archive is appended to for one shard before it is
	// the others' turn.
	batchesAtOnce = 16
)

// archive archives the journal until ctx ends, and then once more.
func (l *Ledger) archive(ctx context.Context) {
	a := newArchivist(l)
	for {
		more := a.round(ctx)
		wait := a.pace.every
		if more {
			wait = 0
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.options.Patience+l.options.Timeout)
			defer cancel()
			for a.round(last) && last.Err() == nil {
			}
			return
		case <-time.After(wait):
		}
	}
}

func newArchivist(l *Ledger) *archivist {
	a := &archivist{
		ledger: l, archive: l.options.Archive,
		pace: pace{every: archiveEvery, after: archiveAfter, keep: l.options.Keep, trim: trimEvery},
	}
	if l.options.pace != nil {
		a.pace = *l.options.pace
	}
	for _, s := range l.shards {
		a.shards = append(a.shards, &archiving{shard: s, most: entriesAtOnce})
	}
	return a
}

// round archives once, and reports whether there is more that could be.
func (a *archivist) round(ctx context.Context) (more bool) {
	err := a.register(ctx)
	a.say(ctx, &a.said, -1, err)
	if err != nil {
		return false
	}
	for _, s := range a.shards {
		again, err := a.tend(ctx, s)
		a.say(ctx, &s.said, s.number, err)
		more = more || again
	}
	return more
}

// fieldArchive is where the meta hash of the first shard has the name of the archive
// that may trim the journal.
const fieldArchive = "archive"

var errOtherArchive = errors.New("the ledger is archived in another archive")

// admit finds out at a start whether the archive is this ledger's. One that cannot be
// used for another reason does not keep a paywall from selling: the log will hear of it.
func (a *archivist) admit(ctx context.Context) error {
	err := a.register(ctx)
	if errors.Is(err, ErrOtherLedger) || errors.Is(err, errOtherArchive) {
		return promiseError(err.Error())
	}
	return nil
}

// register makes sure that this archive, and no other, is the ledger's.
func (a *archivist) register(ctx context.Context) (err error) {
	l := a.ledger
	if a.name, err = a.archive.Attach(ctx, l.archiveName()); err != nil {
		return archiveError{err}
	}
	meta := l.root().fixed[keyMeta]
	c, err := l.root().client(ctx, "")
	if err != nil {
		return err
	}
	found, err := c.HMGet(ctx, meta, fieldID, fieldArchive).Result()
	if err != nil {
		return err
	}
	if id, _ := found[0].(string); !strings.HasPrefix(id, l.id+" ") {
		return archiveError{errors.New("the servers do not have this ledger any more: see to it that the right data is loaded, and restart")}
	}
	name, _ := found[1].(string)
	if name == "" {
		if _, err := c.HSetNX(ctx, meta, fieldArchive, a.name).Result(); err != nil {
			return err
		}
		if name, err = c.HGet(ctx, meta, fieldArchive).Result(); err != nil {
			return err
		}
	}
	if name != a.name {
		return archiveError{fmt.Errorf("%w, %.64q, and this one is %.64q; only one may trim the journal, or each misses what the other has trimmed: "+
			"point this process at that archive, or leave the archive out of its configuration; if that archive is gone for good, make sure that no process uses it and delete the field %s of the key %s by hand",
			errOtherArchive, name, a.name, fieldArchive, meta)}
	}
	return nil
}

// tend archives what is new of a shard, and trims what need not be in memory.
func (a *archivist) tend(ctx context.Context, s *archiving) (more bool, err error) {
	c, err := s.client(ctx, "")
	if err != nil {
		return false, err
	}
	now, err := a.now(ctx, c)
	if err != nil {
		return false, err
	}
	for range batchesAtOnce {
		last, err := a.archive.Last(ctx, s.number)
		if err != nil {
			return false, archiveError{err}
		}
		batch, err := s.after(ctx, c, last)
		if errors.Is(err, errDiverged) {
			if batch, err = a.rewind(ctx, c, s, last, now); err == nil && len(batch) == 0 {
				return false, nil // and nothing is trimmed, because nobody knows yet what is archived
			}
		}
		if err != nil {
			return false, s.moved(ctx, err)
		}
		ripe, err := a.ripe(batch, now)
		if err != nil {
			return false, err
		}
		if len(ripe) == 0 {
			return false, s.moved(ctx, a.trim(ctx, c, s, last, now))
		}
		if err := a.archive.Append(ctx, s.number, ripe); err != nil {
			return false, archiveError{err}
		}
		if len(ripe) < len(batch) {
			return true, nil // once more, to trim
		}
	}
	return true, nil
}

// now is the time of the entries: the servers', whatever clock this machine has.
func (a *archivist) now(ctx context.Context, c *goredis.Client) (time.Time, error) {
	if a.ledger.options.Clock != nil {
		return a.ledger.now(), nil
	}
	return c.Time(ctx).Result()
}

// moved asks a cluster where the slot is now, where that is what an error says.
func (s *archiving) moved(ctx context.Context, err error) error {
	if err != nil && classify(err).moved {
		s.ledger.servers.cluster.ReloadState(ctx)
	}
	return err
}

// archiveError is an error that the servers have nothing to do with.
type archiveError struct{ error }

func (e archiveError) Unwrap() error { return e.error }

// say tells the log what is wrong when that has changed. The errors of connections have
// numbers in them that change each time, and the advice does not.
func (a *archivist) say(ctx context.Context, said *string, shard int, err error) {
	if err != nil && ctx.Err() != nil {
		return // the ledger is being closed
	}
	what, fields := "", []any(nil)
	if shard >= 0 {
		fields = append(fields, "shard", shard)
	}
	var ours archiveError
	switch {
	case err == nil:
	case errors.As(err, &ours):
		what = err.Error()
	default:
		what, fields = cure(err), append(fields, "error", err)
	}
	if what == *said {
		return
	}
	*said = what
	if what == "" {
		a.ledger.log.Info("the ledger's journal is archived again", fields...)
		return
	}
	a.ledger.log.Error("the ledger's journal cannot be archived, and stays in the servers' memory; it is tried again: "+what, fields...)
}
