package redis

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/durable"
)

// load reads the headers of all segments, and all of the last one.
func (s *archivedShard) load() error {
	files, err := os.ReadDir(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var all []segment
	for _, f := range files {
		if f.Name() == newSegment {
			if err := os.Remove(filepath.Join(s.path, newSegment)); err != nil {
				return err
			}
		}
		if segmentNumber(f.Name()) == 0 {
			continue
		}
		n, err := s.header(f.Name())
		if err != nil {
			return err
		}
		all = append(all, n)
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b segment) int { return cmp.Compare(a.number, b.number) })
	for i := 1; i < len(all); i++ {
		if all[i].number != all[i-1].number+1 {
			return fmt.Errorf("%w: archive: segment %d of shard %d is missing: restore it from a copy", wallet.ErrCorrupt, all[i-1].number+1, s.shard)
		}
		if all[i].behind+1 < all[i-1].first {
			return s.damaged(&all[i], "its header does not follow from the segment before")
		}
	}
	return s.reopen(all)
}

// header reads the header of a segment and makes sure that it belongs here.
func (s *archivedShard) header(name string) (n segment, err error) {
	f, err := os.Open(filepath.Join(s.path, name))
	if err != nil {
		return n, err
	}
	defer f.Close()
	h := make([]byte, segmentHeader)
	read, err := f.ReadAt(h, 0)
	if err != nil && !isEnd(err) {
		return n, err
	}
	n, err = decodeSegment(h[:read])
	switch {
	case err != nil:
	case n.ledger != s.ledger:
		err = errors.New("it is another ledger's")
	case n.shard != s.shard:
		err = fmt.Errorf("it is of shard %d", n.shard)
	case n.name() != name:
		err = fmt.Errorf("its name was %s", n.name())
	}
	if err != nil {
		return n, fmt.Errorf("%w: archive: segment %s of shard %d: %w", wallet.ErrCorrupt, name, s.shard, err)
	}
	return n, nil
}

// damaged says that a segment is.
func (s *archivedShard) damaged(n *segment, how string, args ...any) error {
	return fmt.Errorf("%w: archive: segment %s of shard %d: %s: restore it from a copy", wallet.ErrCorrupt, n.name(), s.shard, fmt.Sprintf(how, args...))
}

// reopen goes on with the last segment, where it ends. What a power cut has left half
// written behind it was never durable, and is cut off.
func (s *archivedShard) reopen(all []segment) error {
	n := &all[len(all)-1]
	f, err := os.OpenFile(filepath.Join(s.path, n.name()), os.O_RDWR, durable.FileMode)
	if err != nil {
		return err
	}
	end, err := s.end(f, n)
	if err != nil {
		f.Close()
		return err
	}
	s.segments, s.file, s.size, s.last, s.link = all, f, end.at, end.last, end.link
	return nil
}

// end finds where a segment ends, and cuts off what is behind.
func (s *archivedShard) end(f *os.File, n *segment) (*frames, error) {
	size, err := fileSize(f)
	if err != nil {
		return nil, err
	}
	all, damage, err := endOf(f, n, size)
	switch {
	case err != nil:
		return nil, err
	case damage != 0:
		return nil, s.damaged(n, "it is damaged at byte %d, and whole again at byte %d", all.at, damage)
	case all.at == size:
		return all, f.Sync() // its size may be in the system's memory only
	}
	if err := f.Truncate(all.at); err != nil {
		return nil, err
	}
	return all, f.Sync()
}

// endOf reads a segment until there is no whole frame any more. Damage is where there is
// one again; zero: nowhere.
func endOf(f io.ReaderAt, n *segment, size int64) (all *frames, damage int64, err error) {
	all = framesOf(f, n, size)
	for ok := true; ok; {
		if _, ok, err = all.next(); err != nil {
			return all, 0, err
		}
	}
	damage, err = durableBehind(f, n, all.at, size)
	return all, damage, err
}

// durableBehind finds a frame behind the place where a segment does not read, that says
// that this place was durable before: then it is damaged, and not half written. The
// frames of one write may reach the disk in any order, so that a whole frame alone
// proves nothing. Zero: there is none.
func durableBehind(f io.ReaderAt, n *segment, from, size int64) (int64, error) {
	for at := from + 1; at < size; {
		found, ok, err := frameFrom(f, n, at, size)
		if err != nil || !ok {
			return 0, err
		}
		if found.synced > from {
			return found.at, nil
		}
		at = found.at + found.size
	}
	return 0, nil
}

func fileSize(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
