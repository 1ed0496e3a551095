package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
	"strings"
)

// segment is one file of the journal. A position in the journal counts the bytes
// of all segments before it, headers and padding included, so that a segment's
// base is the first one's zero or the end of the segment before.
type segment struct {
	base     uint64 // position of the segment's header
	sequence uint64 // of its first frame
	epoch    uint64 // random; see frame
}

// A segment begins with a header: in little endian,
//
//	0  magic    [8]byte  segmentMagic, which holds the format's version
//	8  ledger   [16]byte random, the same in every segment of a ledger
//	24 epoch    uint64
//	32 base     uint64
//	40 sequence uint64
//	48 zero     [12]byte
//	60 checksum uint32   CRC32C of what is before it
const (
	segmentHeader = 64
	segmentMagic  = "cpwjrn\x00\x02"
)

// ledgerID tells the files of one ledger from those of another. It is also the
// key of the cursors, and so is not shown.
type ledgerID [16]byte

func (s segment) encode(id ledgerID) []byte {
	h := make([]byte, segmentHeader)
	copy(h, segmentMagic)
	copy(h[8:], id[:])
	binary.LittleEndian.PutUint64(h[24:], s.epoch)
	binary.LittleEndian.PutUint64(h[32:], s.base)
	binary.LittleEndian.PutUint64(h[40:], s.sequence)
	binary.LittleEndian.PutUint32(h[60:], crc32.Checksum(h[:60], castagnoli))
	return h
}

// decodeSegment reads a segment's header. A header is durable before its file
// has its name, so one that does not read was damaged later.
func decodeSegment(h []byte) (s segment, id ledgerID, err error) {
	switch {
	case len(h) < segmentHeader:
		return s, id, fmt.Errorf("its header is cut short")
	case string(h[:7]) != segmentMagic[:7]:
		return s, id, fmt.Errorf("it is no journal")
	case binary.LittleEndian.Uint32(h[60:]) != crc32.Checksum(h[:60], castagnoli):
		return s, id, fmt.Errorf("its header is damaged")
	case h[7] != segmentMagic[7]:
		return s, id, fmt.Errorf("its format is version %d, and this program reads %d", h[7], segmentMagic[7])
	}
	copy(id[:], h[8:])
	s.epoch = binary.LittleEndian.Uint64(h[24:])
	s.base = binary.LittleEndian.Uint64(h[32:])
	s.sequence = binary.LittleEndian.Uint64(h[40:])
	return s, id, nil
}

const (
	segmentPrefix = "journal-"
	newSegment    = "journal.new" // a segment whose header is not durable yet
)

func segmentName(base uint64) string { return fmt.Sprintf("%s%016x", segmentPrefix, base) }

// segmentBases returns the bases of the segments among a directory's names, in
// order.
func segmentBases(names []string) []uint64 {
	var bases []uint64
	for _, name := range names {
		digits, found := strings.CutPrefix(name, segmentPrefix)
		base, err := strconv.ParseUint(digits, 16, 64)
		if found && err == nil && name == segmentName(base) {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	return bases
}

// readSegment opens a segment and reads its header.
func readSegment(fs fileSystem, base uint64) (f file, s segment, id ledgerID, err error) {
	f, err = fs.Open(segmentName(base))
	if err != nil {
		return nil, s, id, fmt.Errorf("journal: %w", err)
	}
	h := make([]byte, segmentHeader)
	n, err := f.ReadAt(h, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, s, id, fmt.Errorf("journal: %w", err)
	}
	s, id, err = decodeSegment(h[:n])
	if err == nil && s.base != base {
		err = fmt.Errorf("it belongs at %s", segmentName(s.base))
	}
	if err != nil {
		f.Close()
		return nil, s, id, corrupt("segment %s cannot be read: %v", segmentName(base), err)
	}
	return f, s, id, nil
}
