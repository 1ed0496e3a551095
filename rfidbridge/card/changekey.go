package card

import (
	"crypto/subtle"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

const changeKey = 0xC4

// ChangeKey makes the command that puts a fresh key in place of an old one, with a version
// by which anybody can see which it is. It is for sessions that key 0 has opened. Where the
// key is the session's own, the session ends with the answer, and old is not looked at.
// [Session.Check] reads the answer.
func (s *Session) ChangeKey(number byte, old, fresh Key, version byte) ([]byte, error) {
	if number == s.number {
		s.ending = true
		return s.Seal(changeKey, []byte{number}, append(fresh[:len(fresh):len(fresh)], version))
	}
	return s.Seal(changeKey, []byte{number}, slices.Concat(mixed(old, fresh), []byte{version}, checksum(fresh[:])))
}

// mixed is a key as it is sent in the place of another one.
func mixed(old, fresh Key) []byte {
	data := make([]byte, len(fresh))
	subtle.XORBytes(data, fresh[:], old[:])
	return data
}

// checksum is CRC-32 as these chips have it, without the last inversion (AN12196, 5.16.1).
func checksum(data []byte) []byte {
	return binary.LittleEndian.AppendUint32(nil, ^crc32.ChecksumIEEE(data))
}
