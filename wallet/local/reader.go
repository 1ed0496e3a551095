package local

import (
	"encoding/binary"
	"errors"
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
		if err != nil && !errors.Is(err, io.EOF) {
			return unavailable(fmt.Errorf("journal: %w", err))
		}
		body, _, ok := cutRecord(r.buffer[:n])
		switch {
		case !ok && n == len(r.buffer) && n < recordSize+maxRecord:
			r.buffer = make([]byte, recordSize+maxRecord)
		case !ok || to.decode(body) != nil:
			return corrupt("the journal does not read at %d", at)
		default:
			return nil
		}
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
