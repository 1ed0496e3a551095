package redis

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// extent is the part of a segment that has entries which are not void.
type extent struct {
	segment
	from, to uint64 // that are wanted of it
	newest   uint64 // entry of the segment
	size     int64  // of the file, where it is the last one
	next     *segment
}

// read calls do for the entries from one number to another, as far as they are there.
func (s *archivedShard) read(ctx context.Context, from, to uint64, do func(Entry) error) error {
	for from = max(from, 1); from <= to; {
		part, err := s.extent(from, to)
		if err != nil || part == nil {
			return err
		}
		if err := s.readExtent(ctx, part, do); err != nil {
			return err
		}
		from = part.to + 1
	}
	return nil
}

// extent finds the segment that has an entry: the one that was begun last among those
// that begin before it. Nil: none has.
func (s *archivedShard) extent(from, to uint64) (*extent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	if len(s.segments) == 0 || from > s.last.Sequence {
		return nil, nil
	}
	x := &extent{from: from, to: min(to, s.last.Sequence), newest: s.last.Sequence, size: s.size}
	for i := len(s.segments) - 1; i >= 0; i-- {
		n := &s.segments[i]
		if n.first <= from {
			x.segment = *n
			return x, nil
		}
		x.to, x.newest, x.next, x.size = min(x.to, n.first-1), n.behind, n, 0
	}
	return nil, fmt.Errorf("archive: entry %d of shard %d is in a segment before %s, which has been moved away: bring it back to %s",
		from, s.shard, s.segments[0].name(), s.path)
}

// readExtent reads the entries that are wanted of a segment. All of them must be there.
func (s *archivedShard) readExtent(ctx context.Context, x *extent, do func(Entry) error) error {
	f, err := os.Open(filepath.Join(s.path, x.name()))
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	defer f.Close()
	if x.size == 0 {
		if x.size, err = fileSize(f); err != nil {
			return err
		}
	}
	all, err := x.seek(f)
	if err != nil {
		return err
	}
	for all.last.Sequence < x.to {
		if err := ctx.Err(); err != nil {
			return err
		}
		found, ok, err := all.next()
		switch {
		case err != nil:
			return err
		case !ok:
			return s.damaged(&x.segment, "it does not read at byte %d, before entry %d", all.at, x.to)
		case found.Sequence < x.from:
			continue
		}
		if err := do(found.Entry); err != nil {
			return err
		}
	}
	if x.next != nil && all.last.Sequence == x.newest && all.link != x.next.link {
		return s.damaged(x.next, "it does not follow from the segment before")
	}
	return nil
}

// seekClose is how near to an entry halving the segment comes.
const seekClose = 128 << 10

// seek finds a frame before the one that is wanted first, by halving the segment.
func (x *extent) seek(f *os.File) (*frames, error) {
	if x.from == x.first {
		return framesOf(f, &x.segment, x.size), nil
	}
	low, high := int64(segmentHeader), x.size
	for high-low > seekClose {
		middle := low + (high-low)/2
		found, ok, err := frameFrom(f, &x.segment, middle, high)
		switch {
		case err != nil:
			return nil, err
		case !ok || found.Sequence > x.from:
			high = middle
		default:
			low = found.at
		}
	}
	if low == segmentHeader {
		return framesOf(f, &x.segment, x.size), nil
	}
	return framesFrom(f, &x.segment, low, x.size), nil
}
