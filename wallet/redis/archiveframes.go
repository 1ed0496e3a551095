package redis

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// frames reads the frames of a segment one after the other. Each is compared with the
// links of those before it.
type frames struct {
	reader  *bufio.Reader
	segment *segment
	at, end int64 // of the next frame, and of the segment
	last    Place // the entry before it
	link    link
	trusted bool // the link is known
	buffer  []byte
}

const frameBuffer = 64 << 10

// framesOf reads a segment from its first frame on, as far as it is long.
func framesOf(r io.ReaderAt, n *segment, end int64) *frames {
	f := framesFrom(r, n, segmentHeader, end)
	f.last, f.link, f.trusted = n.before(), n.link, true
	return f
}

// framesFrom reads from a place where a frame begins. The first one is taken as it is:
// what was before it is not known.
func framesFrom(r io.ReaderAt, n *segment, at, end int64) *frames {
	return &frames{
		reader: bufio.NewReaderSize(io.NewSectionReader(r, at, max(0, end-at)), frameBuffer), segment: n, at: at, end: end,
	}
}

// next returns the next frame; not ok where there is no whole one. A whole one that
// does not follow from those before it was put there by somebody: wallet.ErrCorrupt.
func (f *frames) next() (found frame, ok bool, err error) {
	header, err := f.reader.Peek(frameHeader)
	if err != nil {
		return found, false, unlessEnd(err)
	}
	size := frameSize(header, f.segment.mark)
	if size == 0 || f.at+size > f.end {
		return found, false, nil
	}
	if int64(cap(f.buffer)) < size {
		f.buffer = make([]byte, size)
	}
	b := f.buffer[:size]
	if _, err := io.ReadFull(f.reader, b); err != nil {
		return found, false, unlessEnd(err)
	}
	found, ok = decodeFrame(b, f.segment.mark)
	if !ok {
		return found, false, nil
	}
	if f.trusted && (found.Sequence != f.last.Sequence+1 || !found.follows(f.link, b)) {
		return found, false, fmt.Errorf("%w: archive: segment %s of shard %d: the entry at byte %d does not follow from those before it",
			wallet.ErrCorrupt, f.segment.name(), f.segment.shard, f.at)
	}
	f.at += size
	f.last, f.link, f.trusted = found.place(), found.link, true
	return found, true, nil
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func unlessEnd(err error) error {
	if isEnd(err) {
		return nil
	}
	return err
}

// foundFrame is a frame and where it is.
type foundFrame struct {
	frame
	at int64
}

// frameFrom finds the first whole frame that begins at a place or behind it.
func frameFrom(r io.ReaderAt, n *segment, from, end int64) (found foundFrame, ok bool, err error) {
	mark := binary.LittleEndian.AppendUint32(nil, n.mark)
	window := make([]byte, frameBuffer)
	for at := from; at+frameHeader <= end; {
		read, err := r.ReadAt(window[:min(int64(len(window)), end-at)], at)
		if err != nil && !isEnd(err) {
			return found, false, err
		}
		i := bytes.Index(window[:read], mark)
		if i < 0 {
			if read < len(window) {
				return found, false, nil
			}
			at += int64(read - len(mark) + 1) // the mark may lie across the window's end
			continue
		}
		at += int64(i)
		if found.frame, ok, err = frameAt(r, n, at, end); ok || err != nil {
			found.at = at
			return found, ok, err
		}
		at++
	}
	return found, false, nil
}

// frameAt reads the frame that begins at a place, if one does.
func frameAt(r io.ReaderAt, n *segment, at, end int64) (found frame, ok bool, err error) {
	header := make([]byte, frameHeader)
	if at+frameHeader > end {
		return found, false, nil
	}
	if _, err := r.ReadAt(header, at); err != nil {
		return found, false, unlessEnd(err)
	}
	size := frameSize(header, n.mark)
	if size == 0 || at+size > end {
		return found, false, nil
	}
	b := make([]byte, size)
	if _, err := r.ReadAt(b, at); err != nil {
		return found, false, unlessEnd(err)
	}
	found, ok = decodeFrame(b, n.mark)
	return found, ok, nil
}
