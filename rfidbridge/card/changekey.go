package card

import (
	"crypto/subtle"
	"encoding/binary"
	"hash/crc32"
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
	data := make([]byte, len(fresh), len(fresh)+1+4)
	subtle.XORBytes(data, fresh[:], old[:])
	data = append(data, version)
	// The chips leave out the last inversion of CRC-32 (AN12196, 5.16.1).
	data = binary.LittleEndian.AppendUint32(data, ^crc32.ChecksumIEEE(fresh[:]))
	return s.Seal(changeKey, []byte{number}, data)
}
