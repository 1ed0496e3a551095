package local

import (
	"context"
	"fmt"
	"io"
)

// snapshot is the books at a position of the journal between two frames. It
// shortens a start; without it the journal is folded from the beginning.
type snapshot struct {
	state    *state
	position uint64
	sequence uint64 // of the frame that follows
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
func (l *Ledger) loadSnapshot(exists bool) (*snapshot, error) {
	none := &snapshot{state: newState()}
	if !exists {
		return none, nil
	}
	b, err := readAll(l.fs, snapshotName)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	s, err := decodeSnapshot(b, l.journal.id)
	if err == nil {
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
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}

// store makes a snapshot the newest one: under another name first, so that a
// crash leaves the one before.
func (s *snapshot) store(fs fileSystem, id ledgerID) error {
	f, err := fs.Create(newSnapshot)
	if err != nil {
		return err
	}
	err = s.encode(f, id)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = fs.Rename(newSnapshot, snapshotName)
	}
	if err == nil {
		err = fs.SyncDir()
	}
	return err
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
// look at the live books, so that no operation waits for it.
func (l *Ledger) foldSnapshot() error {
	r := l.journal.reader()
	defer r.close()
	to := r.segments[len(r.segments)-1]
	if to.base <= l.snapshotAt {
		return nil
	}
	s, err := l.loadSnapshot(l.snapshotAt > 0)
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
	s.position, s.sequence = to.base, to.sequence
	if err := s.store(l.fs, l.journal.id); err != nil {
		return err
	}
	l.snapshotAt = s.position
	return nil
}

// lastSnapshot makes a snapshot of the live books, which stand still by now.
func (l *Ledger) lastSnapshot() {
	if l.failure != nil || l.durable-l.snapshotAt < worthSnapshot {
		return
	}
	s := &snapshot{state: l.state, position: l.durable, sequence: l.durableSequence}
	if err := s.store(l.fs, l.journal.id); err != nil {
		l.log.Warn("ledger snapshot not made", "error", err)
	}
}
