package redis

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
)

// A frame is one entry of the journal in an archive: in little endian,
//
//	0  mark     uint32   of the segment, so that the beginning of a frame is found
//	                     from anywhere, and nobody who chooses a text can forge one
//	4  length   uint32   bytes of the text
//	8  checksum uint32   CRC32C of everything else
//	12 synced   uint32   bytes of the segment that were durable before it was written
//	16 sequence uint64   one more than the frame before
//	24 tag      uint64
//	32 link     [32]byte SHA-256 of the link before, and of length, sequence, tag and
//	                     text: who changes an entry must change all that follow
//	64 text
const (
	frameHeader  = 64
	maxFrameText = 8 << 20 // an entry is of one flight, some hundred kilobytes at most
)

// link ties a frame to all frames before it.
type link [sha256.Size]byte

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends the frame of an entry.
func appendFrame(b []byte, mark uint32, synced int64, before link, e *Entry) ([]byte, link) {
	at := len(b)
	b = append(b, make([]byte, frameHeader)...)
	b = append(b, e.Text...)
	f := b[at:]
	binary.LittleEndian.PutUint32(f, mark)
	binary.LittleEndian.PutUint32(f[4:], uint32(len(e.Text)))
	binary.LittleEndian.PutUint32(f[12:], uint32(synced))
	binary.LittleEndian.PutUint64(f[16:], e.Sequence)
	binary.LittleEndian.PutUint64(f[24:], e.Tag)
	next := linkOf(before, f)
	copy(f[32:], next[:])
	binary.LittleEndian.PutUint32(f[8:], frameChecksum(f))
	return b, next
}

func linkOf(before link, frame []byte) (next link) {
	h := sha256.New()
	h.Write(before[:])
	h.Write(frame[4:8])
	h.Write(frame[16:32])
	h.Write(frame[frameHeader:])
	h.Sum(next[:0])
	return next
}

func frameChecksum(frame []byte) uint32 {
	sum := crc32.Update(0, castagnoli, frame[:8])
	return crc32.Update(sum, castagnoli, frame[12:])
}

// frame is one that has been read.
type frame struct {
	Entry
	synced int64
	link   link
	size   int64
}

// frameSize is how long the frame is that a header begins; zero where it begins none.
func frameSize(header []byte, mark uint32) int64 {
	if len(header) < frameHeader || binary.LittleEndian.Uint32(header) != mark {
		return 0
	}
	length := binary.LittleEndian.Uint32(header[4:])
	if length == 0 || length > maxFrameText {
		return 0
	}
	return frameHeader + int64(length)
}

// decodeFrame reads the frame at the beginning of b, and reports whether a whole and
// unharmed one is there.
func decodeFrame(b []byte, mark uint32) (f frame, ok bool) {
	f.size = frameSize(b, mark)
	if f.size == 0 || int64(len(b)) < f.size {
		return frame{}, false
	}
	b = b[:f.size]
	if binary.LittleEndian.Uint32(b[8:]) != frameChecksum(b) {
		return frame{}, false
	}
	f.synced = int64(binary.LittleEndian.Uint32(b[12:]))
	f.Sequence, f.Tag = binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
	copy(f.link[:], b[32:])
	f.Text = string(b[frameHeader:])
	return f, true
}

// follows reports whether the frame b is of the entry behind the links so far.
func (f *frame) follows(before link, b []byte) bool { return linkOf(before, b[:f.size]) == f.link }
