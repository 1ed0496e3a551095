package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// journal is the ledger's segments as its writer sees them. Only the writer
// calls append; the list of segments is for everybody.
type journal struct {
	fs          fileSystem
	random      io.Reader // of epochs
	id          ledgerID
	syncAtClose bool // see Options

	current   file
	head      segment // the header of current
	allocated int64   // bytes of current that are there, zero where not written
	wrote     int64   // bytes of current that are written

	mu       sync.Mutex
	segments []segment // in order; appended to and never changed
}

// ahead is how far a segment's file reaches beyond what is written, in zeros.
// Writing over zeros that are on the disk already leaves the file system nothing
// to note down, which makes a sync a third cheaper. More at once was measured to
// be no faster, and makes the flight that brings it wait for it.
const ahead = 256 << 10

var zeros [64 << 10]byte

// createJournal makes the first segment of a new ledger.
func createJournal(fs fileSystem, random io.Reader) (*journal, error) {
	j := &journal{fs: fs, random: random}
	if _, err := io.ReadFull(random, j.id[:]); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return j, j.roll(0, 1)
}

// roll closes the current segment, if any, and goes on in a new one that begins
// at base.
func (j *journal) roll(base, sequence uint64) error {
	s := segment{base: base, sequence: sequence}
	var epoch [8]byte
	if _, err := io.ReadFull(j.random, epoch[:]); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	s.epoch = binary.LittleEndian.Uint64(epoch[:])
	if err := j.seal(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := j.begin(s); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	f, err := j.fs.Open(segmentName(base))
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.use(f, s, segmentHeader, segmentHeader+ahead)
	j.mu.Lock()
	j.segments = append(j.segments, s)
	j.mu.Unlock()
	return nil
}

// begin makes a segment's file. It gets its name when its header is durable, so
// that a crash leaves no segment without one, and when it is closed, since
// Windows renames no open file.
func (j *journal) begin(s segment) error {
	f, err := j.fs.Create(newSegment)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(s.encode(j.id), 0)
	if err == nil {
		err = writeZeros(f, segmentHeader, segmentHeader+ahead)
	}
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := j.fs.Rename(newSegment, segmentName(s.base)); err != nil {
		return err
	}
	return j.fs.SyncDir()
}

// seal gives the zeros at the end of the current segment back and closes it.
func (j *journal) seal() error {
	if j.current == nil {
		return nil
	}
	f := j.current
	j.current = nil
	err := f.Truncate(j.wrote)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// use makes an open segment the current one.
func (j *journal) use(f file, s segment, wrote, allocated int64) {
	j.current, j.head, j.wrote, j.allocated = f, s, wrote, allocated
}

// append writes a flight's frame and makes it durable.
func (j *journal) append(f *flight) error {
	if f.segment != j.head.base {
		if err := j.roll(f.segment, f.sequence); err != nil {
			return err
		}
	}
	frame := sealFrame(f.frame, f.sequence, j.head.epoch)
	at := int64(f.start - j.head.base)
	end := at + int64(len(frame))
	if at != j.wrote || len(frame) > int(frameSize(maxFrame)) {
		return fmt.Errorf("journal: a frame of %d bytes for offset %d of a segment of %d bytes", len(frame), at, j.wrote)
	}
	if _, err := j.current.WriteAt(frame, at); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := j.reachAhead(end); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if !j.syncAtClose {
		if err := j.current.Sync(); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	j.wrote = end
	return nil
}

// finish makes durable what append has left to the system, if anything.
func (j *journal) finish() error {
	if !j.syncAtClose || j.current == nil {
		return nil
	}
	if err := j.current.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// reachAhead lets the file reach ahead of end again where it no longer does.
func (j *journal) reachAhead(end int64) error {
	if end <= j.allocated {
		return nil
	}
	to := end + ahead
	if err := writeZeros(j.current, end, to); err != nil {
		return err
	}
	j.allocated = to
	return nil
}

func writeZeros(f file, from, to int64) error {
	for from < to {
		n := min(int64(len(zeros)), to-from)
		if _, err := f.WriteAt(zeros[:n], from); err != nil {
			return err
		}
		from += n
	}
	return nil
}

// list returns the segments so far.
func (j *journal) list() []segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clip(j.segments)
}

func (j *journal) close() error {
	if j.current == nil {
		return nil
	}
	f := j.current
	j.current = nil
	return f.Close()
}
