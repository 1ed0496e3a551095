package redis

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// segment is one file of an archive: entries of one shard whose numbers follow each
// other. A segment usually begins behind the one before it. One that begins earlier says
// that the journal was rewound: what the segments before have from there on is void.
type segment struct {
	ledger string // 32 hexadecimal digits
	shard  int
	number uint64 // 1, 2, 3 in the order in which they were begun
	first  uint64 // sequence of its first entry
	behind uint64 // of the newest entry when it was begun
	tag    uint64 // of the entry before the first
	mark   uint32 // random, of its frames
	link   link   // of the last frame before it
}

// A segment begins with a header: in little endian,
//
//	0   magic    [8]byte  segmentMagic, which holds the format's version
//	8   ledger   [16]byte
//	24  number   uint64
//	32  first    uint64
//	40  behind   uint64
//	48  tag      uint64
//	56  mark     uint32
//	60  shard    uint32
//	64  link     [32]byte
//	96  zero     [28]byte
//	124 checksum uint32   CRC32C of what is before it
const (
	segmentHeader = 128
	segmentMagic  = "cpwarc\x00\x01"
	magicOnly     = 7 // bytes of it before the version
)

func (s *segment) encode() []byte {
	h := make([]byte, segmentHeader)
	copy(h, segmentMagic)
	id, _ := hex.DecodeString(s.ledger) // Attach has checked it
	copy(h[8:24], id)
	binary.LittleEndian.PutUint64(h[24:], s.number)
	binary.LittleEndian.PutUint64(h[32:], s.first)
	binary.LittleEndian.PutUint64(h[40:], s.behind)
	binary.LittleEndian.PutUint64(h[48:], s.tag)
	binary.LittleEndian.PutUint32(h[56:], s.mark)
	binary.LittleEndian.PutUint32(h[60:], uint32(s.shard))
	copy(h[64:], s.link[:])
	binary.LittleEndian.PutUint32(h[124:], crc32.Checksum(h[:124], castagnoli))
	return h
}

// decodeSegment reads a header. A header is durable before its file has its name, so
// one that does not read was damaged later.
func decodeSegment(h []byte) (s segment, err error) {
	switch {
	case len(h) < segmentHeader:
		return s, errors.New("its header is cut short")
	case string(h[:magicOnly]) != segmentMagic[:magicOnly]:
		return s, errors.New("it is no segment of an archive")
	case binary.LittleEndian.Uint32(h[124:]) != crc32.Checksum(h[:124], castagnoli):
		return s, errors.New("its header is damaged")
	case h[magicOnly] != segmentMagic[magicOnly]:
		return s, fmt.Errorf("its format is version %d, and this program reads %d", h[magicOnly], segmentMagic[magicOnly])
	}
	s.ledger = hex.EncodeToString(h[8:24])
	s.number = binary.LittleEndian.Uint64(h[24:])
	s.first = binary.LittleEndian.Uint64(h[32:])
	s.behind = binary.LittleEndian.Uint64(h[40:])
	s.tag = binary.LittleEndian.Uint64(h[48:])
	s.mark = binary.LittleEndian.Uint32(h[56:])
	s.shard = int(binary.LittleEndian.Uint32(h[60:]))
	copy(s.link[:], h[64:])
	if s.number == 0 || s.first == 0 || s.first > s.behind+1 {
		return s, errors.New("its header says what cannot be")
	}
	return s, nil
}

// before is the entry before the segment's first.
func (s *segment) before() Place { return Place{Sequence: s.first - 1, Tag: s.tag} }

const (
	segmentSuffix = ".journal"
	newSegment    = "journal.new" // one whose header is not durable yet
)

// name is the number of the segment and of its first entry, so that names sort as the
// segments follow each other, and an operator sees where an entry is.
func (s *segment) name() string {
	return fmt.Sprintf("%08d-%016d%s", s.number, s.first, segmentSuffix)
}

// segmentNumber reads the number off a file's name; zero where it is of no segment.
func segmentNumber(name string) uint64 {
	head, isSegment := strings.CutSuffix(name, segmentSuffix)
	number, first, both := strings.Cut(head, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if _, wrong := strconv.ParseUint(first, 10, 64); !isSegment || !both || err != nil || wrong != nil {
		return 0
	}
	return n
}
