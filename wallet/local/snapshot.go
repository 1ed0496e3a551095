package local

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// snapshot is the books at a position of the journal between two frames. It
// shortens a start; without it the journal is folded from the beginning.
type snapshot struct {
	state    *state
	position uint64
	sequence uint64 // of the frame that follows
	size     uint64 // of its file
	yielder  *yielder
}

const (
	snapshotName   = "snapshot"
	newSnapshot    = "snapshot.new"    // not durable yet
	brokenSnapshot = "snapshot.broken" // set aside for whoever wants to know why
)

// worthSnapshot is how many bytes of journal behind the last snapshot make one
// at Close worth its while.
const worthSnapshot = 1 << 20

// loadSnapshot reads the newest snapshot. A broken one is set aside, since the
// journal has everything.
func (l *Ledger) loadSnapshot(exists bool, y *yielder) (*snapshot, error) {
	none := &snapshot{state: newState()}
	if !exists {
		return none, nil
	}
	b, err := readAll(l.fs, snapshotName)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	s, err := decodeSnapshot(b, l.journal.id, y)
	if err == nil {
		s.size = uint64(len(b))
		return s, nil
	}
	l.log.Warn("ledger snapshot set aside; reading the whole journal", "file", brokenSnapshot, "error", err)
	if err := l.fs.Rename(snapshotName, brokenSnapshot); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return none, nil
}

func readAll(fs fileSystem, name string) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// store makes a snapshot the newest one: under another name first, so that a
// crash leaves the one before. It returns its size.
func (s *snapshot) store(fs fileSystem, id ledgerID) (size uint64, err error) {
	f, err := fs.Create(newSnapshot)
	if err != nil {
		return 0, err
	}
	size, err = s.write(f, id)
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, errors.Join(err, fs.Remove(newSnapshot)) // a full disk has better use for the room
	}
	if err := fs.Rename(newSnapshot, snapshotName); err != nil {
		return 0, err
	}
	return size, fs.SyncDir()
}

// write writes a snapshot's file, durably.
func (s *snapshot) write(f file, id ledgerID) (size uint64, err error) {
	if err := s.encode(&politeFile{file: f, yielder: s.yielder}, id); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	bytes, err := f.Size()
	return uint64(bytes), err
}

// wantSnapshot asks for a snapshot of all sealed segments.
func (l *Ledger) wantSnapshot() {
	select {
	case l.snap <- struct{}{}:
	default:
	}
}

// keepSnapshots makes snapshots beside the operations, until the ledger closes.
// One that fails is no harm: the journal has everything.
func (l *Ledger) keepSnapshots() {
	defer l.background.Done()
	for {
		select {
		case <-l.stopped:
			return
		case <-l.snap:
		}
		if err := l.foldSnapshot(); err != nil {
			l.log.Warn("ledger snapshot not made", "error", err)
		}
	}
}

// foldSnapshot folds the sealed segments into the newest snapshot. It does not
// look at the live books, so that no operation waits for it. It waits until the
// segments weigh half of the snapshot, so that all snapshots together never write
// more than twice what the journal does, however large the books are, and a start
// has little to read behind one.
func (l *Ledger) foldSnapshot() error {
	r := l.journal.reader()
	defer r.close()
	r.yielder = new(yielder)
	to := r.segments[len(r.segments)-1]
	if to.base <= l.snapshotAt || to.base-l.snapshotAt < l.snapshotSize/2 {
		return nil
	}
	s, err := l.loadSnapshot(l.snapshotAt > 0, r.yielder)
	if err != nil {
		return err
	}
	err = r.walk(context.Background(), s.position, s.sequence, to.base, func(r *record, at uint64) error {
		select {
		case <-l.stopped:
			return errClosed
		default:
			return s.state.fold(r, at)
		}
	})
	if err != nil {
		return err
	}
	s.position, s.sequence, s.yielder = to.base, to.sequence, r.yielder
	size, err := s.store(l.fs, l.journal.id)
	if err != nil {
		return err
	}
	l.snapshotAt, l.snapshotSize = s.position, size
	return nil
}

// lastSnapshot makes a snapshot of the live books, which stand still by now.
func (l *Ledger) lastSnapshot() {
	if l.failure != nil || l.durable-l.snapshotAt < worthSnapshot {
		return
	}
	s := &snapshot{state: l.state, position: l.durable, sequence: l.durableSequence}
	if _, err := s.store(l.fs, l.journal.id); err != nil {
		l.log.Warn("ledger snapshot not made", "error", err)
	}
}
