package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// reader reads what is durable in the journal, beside the writer. It keeps one
// file and one frame open.
type reader struct {
	fs       fileSystem
	segments []segment
	file     file
	opened   segment
	yielder  *yielder // nil: its walks take no turns
	frame    []byte   // records of the frame that was read last
	frameAt  uint64   // their position
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

// record reads the record at a position that the ledger has handed out. It
// reads the whole frame, since only that has a checksum: a bit that the disk has
// turned over in an amount must not become money.
func (r *reader) record(at uint64, to *record) error {
	if at < r.frameAt || at-r.frameAt >= uint64(len(r.frame)) {
		if err := r.open(at); err != nil {
			return err
		}
		if err := r.findFrame(int64(at - r.opened.base)); err != nil {
			return err
		}
	}
	body, _, ok := cutRecord(r.frame[at-r.frameAt:])
	if !ok || to.decode(body) != nil {
		return corrupt("the journal does not read at %d", at)
	}
	return nil
}

// lookBack is what is read at once in search of a frame's header.
const lookBack = 4 << 10

// findFrame reads the frame in which an offset of the open segment lies. It
// looks for the header backwards: the epoch, which is random, is in it.
func (r *reader) findFrame(offset int64) error {
	r.frame = nil
	last := (offset - frameHeader) &^ (frameAlign - 1) // where the header is at the latest
	var room [lookBack + frameHeader]byte
	for begin := last + frameAlign; begin > segmentHeader && last-begin < maxFrame; {
		end := begin
		begin = max(segmentHeader, end-lookBack)
		b := room[:end-begin+frameHeader-frameAlign]
		if n, err := r.file.ReadAt(b, begin); n < len(b) && !errors.Is(err, io.EOF) {
			return unavailable(fmt.Errorf("journal: %w", err))
		}
		for at := end - frameAlign; at >= begin; at -= frameAlign {
			header := b[at-begin:][:frameHeader]
			if binary.LittleEndian.Uint64(header[16:]) != r.opened.epoch || at+frameSize(frameLength(header)) <= offset {
				continue
			}
			if whole, err := r.readFrame(at, header); whole || err != nil {
				return err
			}
		}
	}
	return corrupt("segment %s is damaged at offset %d", segmentName(r.opened.base), offset)
}

// readFrame reads a frame, and reports whether it is whole.
func (r *reader) readFrame(at int64, header []byte) (whole bool, err error) {
	frame := make([]byte, frameHeader+frameLength(header))
	if n, err := r.file.ReadAt(frame, at); n < len(frame) && !errors.Is(err, io.EOF) {
		return false, unavailable(fmt.Errorf("journal: %w", err))
	}
	records, whole := openFrame(frame, binary.LittleEndian.Uint64(header[8:]), r.opened.epoch)
	if whole {
		r.frame, r.frameAt = records, r.opened.base+uint64(at)+frameHeader
	}
	return whole, nil
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
