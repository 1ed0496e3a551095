package local

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame is one flight in the journal: a header and the flight's records, each
// behind its length. The header is, in little endian,
//
//	0  length   uint32  bytes of the records; zero where nothing was written yet
//	4  checksum uint32  CRC32C of the rest of the header, the length and the records
//	8  sequence uint64  one more than the frame before, across segments
//	16 epoch    uint64  of the segment, so that what an old file left on the
//	                    disk is never taken for a frame
//
// and zeros fill the frame up to a multiple of frameAlign.
const (
	frameHeader = 24
	frameAlign  = 8
	recordSize  = 2 // bytes of the length in front of a record

	maxRecord = 1<<16 - 1               // bytes of a record without its length
	maxFlight = 4 << 20                 // bytes after which a flight takes nobody on board
	maxFrame  = maxFlight + 2*maxRecord // bytes of the records of a frame
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frameSize is what a frame with length bytes of records takes in the journal.
func frameSize(length int) int64 {
	return int64(frameHeader+length+frameAlign-1) &^ (frameAlign - 1)
}

// sealFrame completes a frame in place: frame is room for the header followed by
// the records. It returns the frame with its padding.
func sealFrame(frame []byte, sequence, epoch uint64) []byte {
	length := len(frame) - frameHeader
	for int64(len(frame)) < frameSize(length) {
		frame = append(frame, 0)
	}
	binary.LittleEndian.PutUint32(frame, uint32(length))
	binary.LittleEndian.PutUint64(frame[8:], sequence)
	binary.LittleEndian.PutUint64(frame[16:], epoch)
	binary.LittleEndian.PutUint32(frame[4:], frameChecksum(frame, length))
	return frame
}

func frameChecksum(frame []byte, length int) uint32 {
	sum := crc32.Update(0, castagnoli, frame[:4])
	return crc32.Update(sum, castagnoli, frame[8:frameHeader+length])
}

// frameLength reads a header's length: zero where there is no frame or none
// that could be one.
func frameLength(header []byte) int {
	length := binary.LittleEndian.Uint32(header)
	if length > maxFrame {
		return 0
	}
	return int(length)
}

// openFrame returns the records of a frame, and whether it is the whole and
// unharmed frame of this sequence number and epoch.
func openFrame(frame []byte, sequence, epoch uint64) ([]byte, bool) {
	if len(frame) < frameHeader {
		return nil, false
	}
	length := frameLength(frame)
	switch {
	case length == 0 || len(frame) < frameHeader+length,
		binary.LittleEndian.Uint64(frame[8:]) != sequence,
		binary.LittleEndian.Uint64(frame[16:]) != epoch,
		binary.LittleEndian.Uint32(frame[4:]) != frameChecksum(frame, length):
		return nil, false
	}
	return frame[frameHeader : frameHeader+length], true
}
