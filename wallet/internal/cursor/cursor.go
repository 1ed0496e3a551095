// Package cursor makes the cursors of listings: where the next page begins, and the first
// bytes of an HMAC over that and the listing's name, under a secret of the ledger. It
// promises that none is taken that was not given out for the same listing: a forged one
// could point into the middle of a record, at a note that somebody wrote to look like
// another wallet's entry. What a place means, the caller knows.
package cursor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const tagSize = 12

// Seal makes the cursor of a place in a listing.
func Seal(secret []byte, listing string, place []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(tag(secret, listing, place), place...))
}

// Open returns the place that a cursor of the listing was made of, or ErrInvalid.
func Open(secret []byte, listing, cursor string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < tagSize || !hmac.Equal(raw[:tagSize], tag(secret, listing, raw[tagSize:])) {
		return nil, fmt.Errorf("%w: %.40q is not a cursor of this listing", wallet.ErrInvalid, cursor)
	}
	return raw[tagSize:], nil
}

// SealNumber is Seal of a place that is a number.
func SealNumber(secret []byte, listing string, place uint64) string {
	return Seal(secret, listing, binary.BigEndian.AppendUint64(nil, place))
}

// OpenNumber is Open of a cursor of SealNumber, and start of the empty one.
func OpenNumber(secret []byte, listing, cursor string, start uint64) (uint64, error) {
	if cursor == "" {
		return start, nil
	}
	place, err := Open(secret, listing, cursor)
	if err != nil {
		return 0, err
	}
	var number [8]byte
	copy(number[:], place)
	return binary.BigEndian.Uint64(number[:]), nil
}

func tag(secret []byte, listing string, place []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(listing))))
	mac.Write([]byte(listing))
	mac.Write(place)
	return mac.Sum(nil)[:tagSize]
}
