package local

import (
	"bufio"
	"errors"
	"io"
	"slices"
)

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
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
