package card

import (
	"encoding/binary"
	"fmt"
)

// mostDiversification is the longest input of AN10922, with the constant before it two
// blocks.
const mostDiversification = 2*blockSize - 1

// Diversify derives a card's own key from a master key and what tells the card, the
// application and the site apart, 1 to 31 bytes (AN10922, AES-128).
func Diversify(master Key, input ...[]byte) (Key, error) {
	message := []byte{0x01}
	for _, part := range input {
		message = append(message, part...)
	}
	if n := len(message) - 1; n == 0 || n > mostDiversification {
		return Key{}, fmt.Errorf("a key is diversified with 1 to %d bytes, not %d", mostDiversification, n)
	}
	return master.cmac([blockSize]byte{}, message, 2*blockSize), nil
}

// BoltKeys are the keys of a Bolt Card that anybody with its issuer's key can make again.
type BoltKeys struct {
	Keys [5]Key   // K0 to K4: K1 opens the PICC data, K2 is the file's
	ID   [16]byte // by which the issuer finds the card without its UID
}

// Tags of the derivation (boltcard, docs/DETERMINISTIC.md).
const (
	boltCardKey = 0x75 + iota
	boltK0
	boltK1
	boltK2
	boltK3
	boltK4
	boltID
)

// Bolt derives a Bolt Card's keys from the issuer's, the UID and the version of its keys.
func Bolt(issuer Key, uid UID, version uint32) (b BoltKeys) {
	derive := func(from Key, tag byte, rest ...byte) [blockSize]byte {
		return from.CMAC(append([]byte{0x2D, 0x00, 0x3F, tag}, rest...))
	}
	of := Key(derive(issuer, boltCardKey, binary.LittleEndian.AppendUint32(uid[:], version)...))
	for i, tag := range []byte{boltK0, boltK1, boltK2, boltK3, boltK4} {
		b.Keys[i] = derive(of, tag)
	}
	b.Keys[1] = derive(issuer, boltK1) // with which a card is found whose UID is not known yet
	b.ID = derive(issuer, boltID, uid[:]...)
	return b
}
