package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// WriterOptions say what [NewWriter] writes to.
type WriterOptions struct {
	// Name tells what is written to from everything else that this ledger could be
	// archived in: the ledger writes it down, and refuses an archive of another name.
	// Required. Of all processes only one may use it at a time.
	Name string

	// Last says which entry of a shard is the newest that has been kept of what was
	// written by earlier processes; a place without a tag will do. Default: none, and
	// so the first process must write from the ledger's beginning.
	Last func(ctx context.Context, ledger string, shard int) (Place, error)
}

// NewWriter is an archive that writes to w and is never read: audits and old entries
// then end where the servers' memory does. What is written is segments of all shards,
// one after the other as they come; [ReadWritten] reads them.
//
// The ledger trims what a Write without an error has taken, after w's own method
// Sync() error where it has one. The caller answers for that: w must have made it
// durable by then, or the journal is lost with it.
func NewWriter(w io.Writer, o WriterOptions) (Archive, error) {
	if o.Name == "" || len(o.Name) > maxName {
		return nil, fmt.Errorf("an archive that is written to needs a name of at most %d characters", maxName)
	}
	return &writerArchive{to: w, options: o, shards: make(map[int]*writtenShard), current: -1}, nil
}

type writerArchive struct {
	to      io.Writer
	options WriterOptions

	mu      sync.Mutex
	ledger  string
	shards  map[int]*writtenShard
	current int // shard whose segment is being written; -1: none
}

// writtenShard is what has been written of a shard.
type writtenShard struct {
	last    Place
	newest  uint64 // before a rewind
	number  uint64
	mark    uint32
	written int64 // of the segment
	link    link
}

// Attach implements [Archive].
func (w *writerArchive) Attach(_ context.Context, ledger string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ledger != "" && w.ledger != ledger {
		return "", fmt.Errorf("the writer has %w: give each ledger one of its own", ErrOtherLedger)
	}
	w.ledger = ledger
	return w.options.Name, nil
}

// shard is what has been written of a shard, with w.mu held.
func (w *writerArchive) shard(ctx context.Context, n int) (*writtenShard, error) {
	if w.ledger == "" {
		return nil, errors.New("the archive has not been attached to a ledger")
	}
	s := w.shards[n]
	if s != nil {
		return s, nil
	}
	s = new(writtenShard)
	if w.options.Last != nil {
		var err error
		if s.last, err = w.options.Last(ctx, w.ledger, n); err != nil {
			return nil, err
		}
	}
	s.newest = s.last.Sequence
	w.shards[n] = s
	return s, nil
}

// Last implements [Archive].
func (w *writerArchive) Last(ctx context.Context, shard int) (Place, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, err := w.shard(ctx, shard)
	if err != nil {
		return Place{}, err
	}
	return s.last, nil
}

// Append implements [Archive].
func (w *writerArchive) Append(ctx context.Context, shard int, entries []Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, err := w.shard(ctx, shard)
	if err != nil || len(entries) == 0 {
		return err
	}
	if err := checkEntries(s.last, entries); err != nil {
		return err
	}
	next := *s
	var b []byte
	if w.current != shard || s.mark == 0 || s.written > math.MaxInt32 {
		next.number, next.mark, next.written = s.number+1, newMark(), segmentHeader
		n := segment{
			ledger: w.ledger, shard: shard, number: next.number, first: s.last.Sequence + 1, behind: s.newest,
			tag: s.last.Tag, mark: next.mark, link: s.link,
		}
		b = n.encode()
	}
	synced := next.written
	for i := range entries {
		b, next.link = appendFrame(b, next.mark, synced, next.link, &entries[i])
	}
	if err := w.write(b); err != nil {
		w.current = -1 // what was written of it may be half of it: the next try begins a segment
		s.number, s.newest = next.number, max(s.newest, entries[len(entries)-1].Sequence)
		return err
	}
	next.written += int64(len(b))
	next.last = entries[len(entries)-1].place()
	next.newest = next.last.Sequence
	w.current, *s = shard, next
	return nil
}

func (w *writerArchive) write(b []byte) error {
	n, err := w.to.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if syncer, can := w.to.(interface{ Sync() error }); can && err == nil {
		err = syncer.Sync()
	}
	return err
}

// Rewind implements [Archive].
func (w *writerArchive) Rewind(ctx context.Context, shard int, to Place) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, err := w.shard(ctx, shard)
	if err != nil {
		return err
	}
	if to.Sequence > s.last.Sequence {
		return fmt.Errorf("%w: entry %d has not been written", wallet.ErrInvalid, to.Sequence)
	}
	s.last, w.current = to, -1
	return nil
}

// Read implements [Archive]: it is an error.
func (w *writerArchive) Read(context.Context, int, uint64, uint64, func(Entry) error) error {
	return errUnreadable
}

// Close implements [Archive]. It does not close the writer.
func (w *writerArchive) Close() error { return nil }

var _ Archive = (*writerArchive)(nil)
