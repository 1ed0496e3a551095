package card

import (
	"encoding/binary"
	"errors"
)

// UID is the seven bytes that the cards of this package have for life.
type UID [7]byte

// SUN is what an NTAG 424 DNA says of itself in the address that it shows: who it is, and
// how often it has been read. With the MAC beside it, it is fresh if its counter is above
// every counter of this card that was accepted before: to compare and to set that is one
// step, and the caller's. Somebody who has read a card in a pocket can show the message
// until the card is next read elsewhere.
type SUN struct {
	UID     UID
	Counter uint32 // of reads, below 2^24
}

// The tag of encrypted PICC data with a UID of seven bytes and a counter (AN12196, 3.4.2).
const piccUIDAndCounter = 0xC7

var errNotSUN = errors.New("this is no message of the card: it was made with another key, or mirrors something else")

// OpenSUN decrypts the card's PICC data. That it decrypts proves nothing: ask Verify.
func OpenSUN(meta Key, picc [blockSize]byte) (SUN, error) {
	plain := meta.decrypt([blockSize]byte{}, picc[:])
	if plain[0] != piccUIDAndCounter {
		return SUN{}, errNotSUN
	}
	s := SUN{Counter: uint32(plain[8]) | uint32(plain[9])<<8 | uint32(plain[10])<<16}
	copy(s.UID[:], plain[1:])
	return s, nil
}

// vector is a session vector: what a session's key is derived from.
func (s SUN) vector(first, second byte) []byte {
	v := append(make([]byte, 0, blockSize), first, second, 0x00, 0x01, 0x00, 0x80)
	v = append(v, s.UID[:]...)
	return append(v, byte(s.Counter), byte(s.Counter>>8), byte(s.Counter>>16))
}

func (s SUN) macKey(file Key) Key { return file.CMAC(s.vector(0x3C, 0xC3)) }
func (s SUN) encKey(file Key) Key { return file.CMAC(s.vector(0xC3, 0x3C)) }

// Verify reports with ErrForged that a message's MAC is not the card's. input is the part of
// the address that the card was told to sign; none is usual.
func (s SUN) Verify(file Key, input []byte, mac MAC) error {
	if !truncate(s.macKey(file).CMAC(input)).equal(mac) {
		return ErrForged
	}
	return nil
}

// OpenFile decrypts the part of the file that the card was told to encrypt: whole blocks.
func (s SUN) OpenFile(file Key, data []byte) ([]byte, error) {
	if len(data)%blockSize != 0 {
		return nil, errNotSUN
	}
	key := s.encKey(file)
	var iv [blockSize]byte
	binary.LittleEndian.PutUint32(iv[:], s.Counter) // its fourth byte is zero
	key.block().Encrypt(iv[:], iv[:])
	return key.decrypt(iv, data), nil
}
