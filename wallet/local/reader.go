package local

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// reader reads what is durable in the journal, beside the writer. It keeps one
// file open.
type reader struct {
	fs       fileSystem
	segments []segment
	file     file
	opened   segment
	buffer   []byte
}

func (j *journal) reader() *reader { return &reader{fs: j.fs, segments: j.list()} }

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

// open opens the segment in which a position lies.
func (r *reader) open(at uint64) error {
	i, found := slices.BinarySearchFunc(r.segments, at, func(s segment, at uint64) int {
		switch {
		case s.base < at:
			return -1
		case s.base > at:
			return 1
		}
		return 0
	})
	if !found {
		i--
	}
	if i < 0 {
		return corrupt("there is no journal at %d", at)
	}
	if r.file != nil && r.opened == r.segments[i] {
		return nil
	}
	r.close()
	f, err := r.fs.Open(segmentName(r.segments[i].base))
	if err != nil {
		return unavailable(fmt.Errorf("journal: %w", err))
	}
	r.file, r.opened = f, r.segments[i]
	return nil
}

// mostRecords is the size of nearly every record; a longer one is read twice.
const mostRecords = 1 << 10

// record reads the record at a position that the ledger has handed out.
func (r *reader) record(at uint64, to *record) error {
	if err := r.open(at); err != nil {
		return err
	}
	if r.buffer == nil {
		r.buffer = make([]byte, mostRecords)
	}
	for {
		n, err := r.file.ReadAt(r.buffer, int64(at-r.opened.base))
		if err != nil && err != io.EOF {
			return unavailable(fmt.Errorf("journal: %w", err))
		}
		body, rest, ok := cutRecord(r.buffer[:n])
		switch {
		case !ok && n == len(r.buffer) && n < recordSize+maxRecord:
			r.buffer = make([]byte, recordSize+maxRecord)
			continue
		case !ok || to.decode(body) != nil:
			return corrupt("the journal does not read at %d", at)
		}
		_ = rest
		return nil
	}
}

// cutRecord takes the first record off the records of a frame.
func cutRecord(b []byte) (body, rest []byte, ok bool) {
	if len(b) < recordSize {
		return nil, nil, false
	}
	length := int(binary.LittleEndian.Uint16(b))
	if length == 0 || len(b)-recordSize < length {
		return nil, nil, false
	}
	return b[recordSize : recordSize+length], b[recordSize+length:], true
}

// frames reads a segment's frames one after the other.
type frames struct {
	segment  segment
	file     *bufio.Reader
	size     int64
	offset   int64  // of the next frame
	sequence uint64 // of the next frame
	buffer   []byte
}

// readAhead is what a walk through the journal reads at once.
const readAhead = 256 << 10

func framesOf(f file, s segment, offset int64, sequence uint64) (*frames, error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	section := io.NewSectionReader(f, offset, max(0, size-offset))
	return &frames{
		segment: s, file: bufio.NewReaderSize(section, readAhead), size: size, offset: offset, sequence: sequence,
	}, nil
}

// next returns the records of the next frame and the position of the first one;
// ok is false where there is no whole frame.
func (f *frames) next() (records []byte, at uint64, ok bool, err error) {
	header, err := f.file.Peek(frameHeader)
	if err != nil {
		return nil, 0, false, ignoreEnd(err)
	}
	length := frameLength(header)
	if length == 0 || f.offset+frameSize(length) > f.size {
		return nil, 0, false, nil
	}
	f.buffer = slices.Grow(f.buffer[:0], int(frameSize(length)))[:frameSize(length)]
	if _, err := io.ReadFull(f.file, f.buffer); err != nil {
		return nil, 0, false, ignoreEnd(err)
	}
	records, ok = openFrame(f.buffer, f.sequence, f.segment.epoch)
	if !ok {
		return nil, 0, false, nil
	}
	at = f.position() + frameHeader
	f.offset += int64(len(f.buffer))
	f.sequence++
	return records, at, true, nil
}

// position is where the next frame begins.
func (f *frames) position() uint64 { return f.segment.base + uint64(f.offset) }

func ignoreEnd(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}

// visit is called with each record and its position. The record is used again
// for the next one.
type visit func(r *record, at uint64) error

// eachRecord calls do for the records of a frame up to a position.
func eachRecord(records []byte, at, to uint64, r *record, do visit) error {
	for len(records) > 0 && at < to {
		body, rest, ok := cutRecord(records)
		if !ok || r.decode(body) != nil {
			return corrupt("the journal does not read at %d", at)
		}
		if err := do(r, at); err != nil {
			return err
		}
		at += uint64(len(records) - len(rest))
		records = rest
	}
	return nil
}

// walk calls do for the records from the frame at position from, which has a
// sequence number, up to position to. All of them must be there.
func (r *reader) walk(ctx context.Context, from, sequence, to uint64, do visit) error {
	var each record
	for i, s := range r.segments {
		end := uint64(everything)
		if i+1 < len(r.segments) {
			end = r.segments[i+1].base
		}
		if end <= from || s.base >= to {
			continue
		}
		if err := r.open(s.base); err != nil {
			return err
		}
		offset := int64(segmentHeader)
		if from > s.base {
			offset = int64(from - s.base)
		} else {
			sequence = s.sequence
		}
		f, err := framesOf(r.file, s, offset, sequence)
		if err != nil {
			return unavailable(fmt.Errorf("journal: %w", err))
		}
		for f.position() < min(end, to) {
			if err := ctx.Err(); err != nil {
				return unavailable(err)
			}
			records, at, ok, err := f.next()
			switch {
			case err != nil:
				return unavailable(fmt.Errorf("journal: %w", err))
			case !ok:
				return corrupt("segment %s is damaged at offset %d", segmentName(s.base), f.offset)
			}
			if err := eachRecord(records, at, to, &each, do); err != nil {
				return err
			}
		}
		if f.position() > end {
			return corrupt("segment %s runs into the next one", segmentName(s.base))
		}
		sequence = f.sequence
	}
	return nil
}

// foldInto returns a visit that applies the records to a state.
func (s *state) fold(r *record, at uint64) error {
	err := s.resolve(r)
	if err == nil {
		err = s.apply(r, at)
	}
	if err != nil {
		return corrupt("the %s record at %d does not follow from those before it: %v", r.kind, at, err)
	}
	if s.records%forgetEvery == 0 {
		s.forget(r.time, int(s.records/forgetEvery%grantShards))
	}
	return nil
}

// forgetEvery is how many records a fold applies between two sweeps, which keep
// it from remembering every id there ever was.
const forgetEvery = 1 << 12
