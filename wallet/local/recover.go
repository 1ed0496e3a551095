package local

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// recover brings the books back: the newest snapshot and the journal after it.
// It leaves the journal ready for the next flight.
func (l *Ledger) recover(random io.Reader) error {
	names, err := l.fs.Names()
	if err != nil {
		return err
	}
	for _, unfinished := range []string{newSegment, newSnapshot, newProbe} {
		if slices.Contains(names, unfinished) {
			if err := l.fs.Remove(unfinished); err != nil {
				return err
			}
		}
	}
	if err := probe(l.fs); err != nil {
		return err
	}
	bases := segmentBases(names)
	if len(bases) == 0 {
		return l.create(random, slices.Contains(names, snapshotName))
	}
	if l.journal, err = openJournal(l.fs, random, bases); err != nil {
		return err
	}
	start, err := l.loadSnapshot(slices.Contains(names, snapshotName), nil)
	if err != nil {
		return err
	}
	l.state, l.snapshotAt, l.snapshotSize = start.state, start.position, start.size
	end, err := l.journal.replay(start)
	if err != nil {
		return err
	}
	l.durable = end.position()
	l.boarding = l.flightAt(end.segment.base, l.durable, end.sequence, nil)
	return nil
}

// newProbe is a file that shows that files can be written.
const newProbe = "probe.new"

// probe finds out whether the directory takes anything, before the journal is
// read: whoever waits for a full disk opens the ledger again and again, and a
// long journal each time would keep the machine busy.
func probe(fs fileSystem) error {
	f, err := fs.Create(newProbe)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(zeros[:4<<10], 0); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), fs.Remove(newProbe))
}

// create begins a new ledger in an empty directory.
func (l *Ledger) create(random io.Reader, snapshot bool) error {
	if snapshot {
		return corrupt("there is a snapshot and no journal")
	}
	var err error
	if l.journal, err = createJournal(l.fs, random); err != nil {
		return err
	}
	l.state = newState()
	l.durable = segmentHeader
	l.boarding = newFlight(0, segmentHeader, 1, nil)
	return nil
}

// openJournal reads the headers of all segments and makes sure that none is
// missing or cut short.
func openJournal(fs fileSystem, random io.Reader, bases []uint64) (*journal, error) {
	j := &journal{fs: fs, random: random}
	for i, base := range bases {
		f, s, id, err := readSegment(fs, base)
		if err != nil {
			return nil, err
		}
		size, err := f.Size()
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		switch {
		case i == 0:
			j.id = id
			if base != 0 {
				return nil, corrupt("the journal's first segment, %s, is missing", segmentName(0))
			}
		case id != j.id:
			return nil, corrupt("segment %s is of another ledger", segmentName(base))
		}
		if i+1 < len(bases) && uint64(size) < bases[i+1]-base {
			return nil, corrupt("segment %s is cut short, or one behind it is missing", segmentName(base))
		}
		j.segments = append(j.segments, s)
	}
	return j, nil
}

// replay folds the journal from a snapshot on into its state, cuts a torn tail
// off and makes the last segment the current one. It returns where the journal
// ends.
func (j *journal) replay(from *snapshot) (*frames, error) {
	last := j.segments[len(j.segments)-1]
	sealed := j.reader()
	defer sealed.close()
	if err := sealed.walk(context.Background(), from.position, from.sequence, last.base, from.state.fold); err != nil {
		return nil, err
	}
	f, err := j.fs.Open(segmentName(last.base))
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	end, err := j.replayLast(f, last, from)
	if err != nil {
		f.Close()
		return nil, err
	}
	return end, nil
}

// replayLast reads the whole last segment, also what a snapshot covers: it costs
// little, and finds out whether the journal reaches as far as the snapshot says.
func (j *journal) replayLast(f file, last segment, from *snapshot) (*frames, error) {
	end, err := framesOf(f, last, segmentHeader, last.sequence)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var each record
	newest := int64(0) // offset of the last frame
	for {
		begin := end.offset
		records, at, ok, err := end.next()
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		if !ok {
			break
		}
		newest = begin
		if end.position() <= from.position {
			continue
		}
		if err := eachRecord(records, at, everything, &each, from.state.fold); err != nil {
			return nil, err
		}
	}
	if end.position() < from.position {
		return nil, corrupt("segment %s ends at offset %d, before the snapshot that was made of it",
			segmentName(last.base), end.offset)
	}
	allocated, err := cutTail(f, end)
	if err != nil {
		return nil, err
	}
	reaches, err := makeReady(f, newest, end.offset)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := j.fs.SyncDir(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j.use(f, last, end.offset, max(allocated, reaches))
	return end, nil
}

// cutTail looks at what stands behind the last whole frame. Zeros were never
// written. Anything else is a flight that a crash has torn, which nobody was
// told about: it is cut off. But where a whole frame follows, the broken one had
// landed before it, and the journal is damaged in the middle.
func cutTail(f file, end *frames) (allocated int64, err error) {
	tail := make([]byte, end.size-end.offset)
	if _, err := f.ReadAt(tail, end.offset); err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("journal: %w", err)
	}
	if len(bytes.Trim(tail, "\x00")) == 0 {
		return end.size, nil
	}
	for i := 0; i+frameHeader <= len(tail); i += frameAlign {
		sequence := binary.LittleEndian.Uint64(tail[i+8:])
		if sequence < end.sequence || binary.LittleEndian.Uint64(tail[i+16:]) != end.segment.epoch {
			continue
		}
		if _, whole := openFrame(tail[i:], sequence, end.segment.epoch); whole {
			return 0, corrupt("segment %s is damaged at offset %d, and has a whole frame behind it at offset %d",
				segmentName(end.segment.base), end.offset, end.offset+int64(i))
		}
	}
	if err := f.Truncate(end.offset); err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	if err := f.Sync(); err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	return end.offset, nil
}

// makeReady writes what stands at the end of a segment again and syncs it: the
// last frame, if any, and the zeros behind it as far as the file is to reach
// ahead.
//
// If the frame's sync had failed, the system may show it from memory and take it
// for written, while the disk does not have it: an answer that rests on it would
// be lost with the power. And a disk that is full, broken or read-only is an
// error of Open, and not of the first reader's charge.
func makeReady(f file, newest, end int64) (reaches int64, err error) {
	if newest != 0 {
		frame := make([]byte, end-newest)
		if _, err := f.ReadAt(frame, newest); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if _, err := f.WriteAt(frame, newest); err != nil {
			return 0, err
		}
	}
	if err := writeZeros(f, end, end+ahead); err != nil {
		return 0, err
	}
	return end + ahead, f.Sync()
}
