package local

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// encoder writes what decoder reads: the same methods in the same order. An
// error ends the writing, and close returns it.
type encoder struct {
	w   *bufio.Writer
	sum uint32 // CRC32C of what was written
	err error
	tmp [binary.MaxVarintLen64]byte
}

func newEncoder(w io.Writer) *encoder { return &encoder{w: bufio.NewWriterSize(w, 256<<10)} }

func (e *encoder) bytes(b []byte) {
	e.sum = crc32.Update(e.sum, castagnoli, b)
	if e.err == nil {
		_, e.err = e.w.Write(b)
	}
}

func (e *encoder) byte(b byte) {
	e.tmp[0] = b
	e.bytes(e.tmp[:1])
}

func (e *encoder) uvarint(v uint64) { e.bytes(e.tmp[:binary.PutUvarint(e.tmp[:], v)]) }

func (e *encoder) uint64(v uint64) {
	binary.LittleEndian.PutUint64(e.tmp[:8], v)
	e.bytes(e.tmp[:8])
}

func (e *encoder) varint(v int64) { e.bytes(e.tmp[:binary.PutVarint(e.tmp[:], v)]) }

func (e *encoder) text(s string) {
	e.uvarint(uint64(len(s)))
	e.bytes([]byte(s))
}

// close writes the checksum of everything before it.
func (e *encoder) close() error {
	binary.LittleEndian.PutUint32(e.tmp[:4], e.sum)
	if e.err == nil {
		_, e.err = e.w.Write(e.tmp[:4])
	}
	if e.err == nil {
		e.err = e.w.Flush()
	}
	return e.err
}
