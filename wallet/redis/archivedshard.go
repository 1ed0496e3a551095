package redis

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/durable"
)

// archivedShard is the folder with a shard's segments. It is read at its first use.
type archivedShard struct {
	path   string
	ledger string
	shard  int
	limit  int64

	writing sync.Mutex // held by who writes, while the disk takes its time

	mu       sync.Mutex // for what follows; it changes under both
	loaded   bool
	segments []segment // in the order in which they were begun
	file     *os.File  // the last one
	size     int64     // of it, durable
	last     Place
	link     link
	failed   error // why nothing is taken any more
}

// newest is the newest entry that is durable.
func (s *archivedShard) newest() (Place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return Place{}, err
	}
	return s.last, nil
}

// usable reads the folder where it has not been read, and makes sure that the file
// that is written to is still the one that is there: after its removal, or where
// another disk was mounted over it, what is written would be gone with it.
func (s *archivedShard) usable() error {
	if s.failed != nil {
		return s.failed
	}
	if !s.loaded {
		if err := s.load(); err != nil {
			return err
		}
		s.loaded = true
	}
	if s.file == nil {
		return nil
	}
	mine, err := s.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(s.file.Name())
	if err == nil && !os.SameFile(mine, there) {
		err = errors.New("another file is in its place")
	}
	if err != nil {
		return fmt.Errorf("the archive is not in its directory any more: bring it back, and restart: %w", err)
	}
	return nil
}

// append adds entries and makes them durable.
func (s *archivedShard) append(entries []Entry) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, err := s.newest(); err != nil {
		return err
	}
	if err := checkEntries(s.last, entries); err != nil {
		return err
	}
	if s.file == nil || s.size >= s.limit {
		if err := s.begin(s.last); err != nil {
			return err
		}
	}
	var frames []byte
	mark, next := s.segments[len(s.segments)-1].mark, s.link
	for i := range entries {
		frames, next = appendFrame(frames, mark, s.size, next, &entries[i])
	}
	if _, err := s.file.WriteAt(frames, s.size); err != nil {
		return s.undo(err)
	}
	if err := s.file.Sync(); err != nil {
		s.fail(fmt.Errorf("the archive could not make entries durable, and takes no more until it is opened again: look at its disk: %w", err))
		return s.undo(s.failed)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size += int64(len(frames))
	s.last, s.link = entries[len(entries)-1].place(), next
	return nil
}

// undo takes back what was written and is not durable.
func (s *archivedShard) undo(err error) error {
	if cut := s.file.Truncate(s.size); cut != nil {
		s.fail(fmt.Errorf("the archive could not take back half an entry, and takes no more until it is opened again: look at its disk: %w", cut))
	}
	return err
}

// fail lets the shard take nothing any more.
func (s *archivedShard) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
}

// checkEntries makes sure that entries follow the newest, and each the one before it.
func checkEntries(last Place, entries []Entry) error {
	next := last.Sequence + 1
	for i := range entries {
		switch e := &entries[i]; {
		case e.Sequence != next:
			return fmt.Errorf("%w: the archive wants entry %d and is given %d", wallet.ErrInvalid, next, e.Sequence)
		case len(e.Text) == 0 || len(e.Text) > maxFrameText:
			return fmt.Errorf("%w: entry %d has %d bytes, must have 1 to %d", wallet.ErrInvalid, e.Sequence, len(e.Text), maxFrameText)
		}
		next++
	}
	return nil
}

// rewind begins a segment behind an older entry.
func (s *archivedShard) rewind(to Place) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	last, err := s.newest()
	if err != nil {
		return err
	}
	if to.Sequence > last.Sequence {
		return fmt.Errorf("%w: the archive ends at entry %d and cannot be rewound to %d", wallet.ErrInvalid, last.Sequence, to.Sequence)
	}
	return s.begin(to)
}

// begin begins a segment behind an entry.
func (s *archivedShard) begin(at Place) error {
	n := segment{
		ledger: s.ledger, shard: s.shard, number: 1, first: at.Sequence + 1, behind: s.last.Sequence, tag: at.Tag,
		mark: newMark(), link: s.link,
	}
	if len(s.segments) > 0 {
		n.number = s.segments[len(s.segments)-1].number + 1
	} else if err := durable.MakeDirectory(s.path); err != nil {
		return err
	}
	path := filepath.Join(s.path, n.name())
	err := writeDurably(s.path, newSegment, n.name(), n.encode())
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(path, os.O_RDWR, durable.FileMode)
	}
	if err != nil {
		if _, there := os.Stat(path); there == nil {
			s.fail(err) // a second try could begin elsewhere, and then two have this number
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		s.file.Close()
	}
	s.segments = append(s.segments, n)
	s.file, s.size, s.last = f, segmentHeader, at
	return nil
}

// newMark is never zero, which a disk may have anywhere, and never what a header
// begins with.
func newMark() uint32 {
	for {
		var b [4]byte
		_, _ = rand.Read(b[:]) // it never fails
		if mark := binary.LittleEndian.Uint32(b[:]); mark != 0 && string(b[:]) != segmentMagic[:4] {
			return mark
		}
	}
}

func (s *archivedShard) close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = errArchiveClosed
	}
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
