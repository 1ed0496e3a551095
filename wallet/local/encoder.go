package local

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// encoder writes what decoder reads: the same methods in the same order. An
// error ends the writing, and close returns it.
type encoder struct {
	w      io.Writer
	buffer []byte
	sum    uint32 // CRC32C of what was written
	err    error
}

const encoderRoom = 64 << 10 // bytes that are written at once

func newEncoder(w io.Writer) *encoder { return &encoder{w: w, buffer: make([]byte, 0, encoderRoom)} }

// room returns the buffer with room for n more bytes, if it is not small for them
// altogether.
func (e *encoder) room(n int) []byte {
	if len(e.buffer)+n > cap(e.buffer) {
		e.flush()
	}
	return e.buffer
}

// flush writes what is in the buffer.
func (e *encoder) flush() {
	e.sum = crc32.Update(e.sum, castagnoli, e.buffer)
	e.write(e.buffer)
	e.buffer = e.buffer[:0]
}

func (e *encoder) write(b []byte) {
	if e.err == nil {
		_, e.err = e.w.Write(b)
	}
}

func (e *encoder) bytes(b []byte) { e.buffer = append(e.room(len(b)), b...) }

func (e *encoder) byte(b byte) { e.buffer = append(e.room(1), b) }

func (e *encoder) uvarint(v uint64) {
	e.buffer = binary.AppendUvarint(e.room(binary.MaxVarintLen64), v)
}

func (e *encoder) uint64(v uint64) { e.buffer = binary.LittleEndian.AppendUint64(e.room(8), v) }

func (e *encoder) varint(v int64) {
	e.buffer = binary.AppendVarint(e.room(binary.MaxVarintLen64), v)
}

func (e *encoder) text(s string) {
	e.uvarint(uint64(len(s)))
	e.buffer = append(e.room(len(s)), s...)
}

// close writes the checksum of everything before it.
func (e *encoder) close() error {
	e.flush()
	e.write(binary.LittleEndian.AppendUint32(nil, e.sum))
	return e.err
}
