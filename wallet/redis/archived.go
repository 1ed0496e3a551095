package redis

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// archived calls do for entries that the servers' memory no longer has, in order, as
// far as the archive goes; at least for the first. It returns the number of the next.
func (s *shard) archived(ctx context.Context, from, to uint64, do func(e entry) error) (next uint64, err error) {
	next = from
	err = s.readArchive(ctx, from, to, func(e Entry) error {
		if e.Sequence != next {
			return fmt.Errorf("%w: the archive of shard %d has entry %d in the place of %d", wallet.ErrCorrupt, s.number, e.Sequence, next)
		}
		next++
		return do(entry{sequence: e.Sequence, tag: e.Tag, text: e.Text})
	})
	if err == nil && next == from {
		err = fmt.Errorf("%w: neither the servers nor this process's archive have entry %d of the journal of shard %d: if the ledger was archived elsewhere before, point the archive there",
			wallet.ErrCorrupt, from, s.number)
	}
	return next, err
}

func (s *shard) readArchive(ctx context.Context, from, to uint64, do func(e Entry) error) error {
	a := s.ledger.options.Archive
	if a == nil {
		return errNoArchive
	}
	if _, err := a.Attach(ctx, s.ledger.archiveName()); err != nil {
		return err
	}
	return a.Read(ctx, s.number, from, to, do)
}

// archivedRecord reads the record at a position of a shard's journal. Nil: the archive
// does not have it.
func (l *Ledger) archivedRecord(ctx context.Context, shard int, position uint64) (*record, error) {
	var found *record
	sequence, place := position/places, position%places
	err := l.shards[shard].readArchive(ctx, sequence, sequence, func(e Entry) error {
		all, err := records(e.Sequence, e.Text)
		if err == nil && place < uint64(len(all)) {
			found = &all[place]
		}
		return err
	})
	if errors.Is(err, errUnreadable) {
		err = nil // the listing ends here, as without an archive
	}
	return found, err
}

// archivedHistory reads records of a wallet backwards from a position. What is before one
// that is archived is archived too, so that the servers need not be asked again.
func (l *Ledger) archivedHistory(ctx context.Context, id wallet.WalletID, from uint64, most int) (found []record, err error) {
	for at := from; at != 0 && len(found) < most; at = found[len(found)-1].recordBefore(id) {
		r, err := l.archivedRecord(ctx, l.shardOf(id).number, at)
		if err != nil {
			return nil, err
		}
		if r == nil {
			break
		}
		found = append(found, *r)
	}
	return found, nil
}
