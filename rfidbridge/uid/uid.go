// Package uid knows the numbers that cards show without proof: how long they are, which of
// them mean nothing, how readers write them, and how they are stored.
//
// A UID is no secret, and anybody makes a card with another's. It promises that one card
// has one UID whatever reader it lies on, that a number which a card draws anew at each tap
// is not taken for an identity, and that what is stored cannot be turned back into numbers
// without the key.
package uid

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// most is the longest there is: a triple-size UID of ISO/IEC 14443-3.
const most = 10

// UID is a card's number in the order in which the card sends it. Two are equal if they are
// of the same card. It is never printed whole: see String.
type UID struct {
	size  uint8
	bytes [most]byte
}

// ErrLength is a number that no card has.
var ErrLength = errors.New("a card's UID has 4, 5, 7, 8 or 10 bytes")

// New takes a card's UID: 4, 7 or 10 bytes by ISO/IEC 14443-3, 5 at 125 kHz, 8 by ISO/IEC
// 15693. One of zeros alone is none.
func New(b []byte) (UID, error) {
	switch len(b) {
	case 4, 5, 7, 8, most:
	default:
		return UID{}, fmt.Errorf("%w, not %d", ErrLength, len(b))
	}
	u := UID{size: uint8(len(b))}
	copy(u.bytes[:], b)
	if u.bytes == [most]byte{} {
		return UID{}, fmt.Errorf("%w, and not all zero", ErrLength)
	}
	return u, nil
}

// Bytes are the UID's own.
func (u UID) Bytes() []byte { return u.bytes[:u.size:u.size] }

// Random reports whether the card has drawn the number for this tap alone, as phones,
// passports and cards that guard their privacy do: four bytes that begin with 08 (ISO/IEC
// 14443-3, 6.5.4). It must never be enrolled.
func (u UID) Random() bool { return u.size == 4 && u.bytes[0] == 0x08 }

// String is enough of the UID to recognise a card that one has in one's hand.
func (u UID) String() string {
	if u.size == 0 {
		return "no UID"
	}
	return "…" + hex.EncodeToString(u.bytes[u.size-2:u.size])
}

// Format keeps the rest from being printed under any verb.
func (u UID) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(u.String())) }

// KeySize is the least that a key of hashes has, in bytes.
const KeySize = 16

// Hash is what is stored in a UID's place.
type Hash [sha256.Size]byte

// Hash is keyed, since there are so few UIDs that each could be tried: HMAC-SHA-256 with
// the site's key, which is at least KeySize long.
func (u UID) Hash(key []byte) (h Hash, err error) {
	if len(key) < KeySize {
		return Hash{}, fmt.Errorf("the key of the hashes of UIDs has %d bytes, and needs %d", len(key), KeySize)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte{u.size})
	mac.Write(u.Bytes())
	return Hash(mac.Sum(nil)), nil
}
