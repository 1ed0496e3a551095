package emv

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
)

// Token stands for a card: the same for each of its taps, and of no use to who has no key.
// It prints as a placeholder under every verb.
type Token [sha256.Size]byte

// Format implements [fmt.Formatter].
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[bank card]") }

// MarshalText keeps tokens out of JSON and logs.
func (Token) MarshalText() ([]byte, error) { return []byte("[bank card]"), nil }

// KeySize is the least that a key of tokens has, in bytes.
const KeySize = 32

// separation keeps a token from being the hash of the same number for another purpose.
const separation = "caddy-paywall bank card token 1\x00"

// token is the keyed hash of an identity.
func token(key, identity []byte) Token {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(separation))
	mac.Write(identity)
	return Token(mac.Sum(nil))
}

// Sizes of a payment account reference, and of a card's number in digits.
const (
	sizeAccount = 29
	leastPAN    = 8
	mostPAN     = 19
)

// identity is whose card it is: the reference of the account, which a phone shares with the
// card that it stands for, else the card's number. A reference that is not signed counts for
// nothing: who stands between a card of their own and the reader could put another's in.
func (s *shown) identity() ([]byte, error) {
	if account := Find(s.signed, tagAccount); isAccount(account) {
		return append([]byte("PAR:"), account...), nil
	}
	pan := s.pan()
	defer clear(pan)
	id := append(make([]byte, 0, len("PAN:")+mostPAN), "PAN:"...)
	for i := range 2 * len(pan) {
		if d := digitAt(pan, i); d <= 9 && len(id) < cap(id) {
			id = append(id, '0'+d)
		}
	}
	if len(id) < len("PAN:")+leastPAN {
		return nil, errAnswer
	}
	return id, nil
}

func isAccount(b []byte) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return len(b) == sizeAccount
}

// pan is a copy of the card's number, two digits a byte and filled up with F: its own
// object, or the beginning of its track.
func (s *shown) pan() []byte {
	if pan := s.find(tagPAN); pan != nil {
		return append([]byte(nil), pan...)
	}
	track := append([]byte(nil), s.find(tagTrack2)...)
	for i := range 2 * len(track) {
		if digitAt(track, i) <= 9 {
			continue
		}
		clear(track[(i+1)/2:]) // what is behind the separator
		pan := track[: (i+1)/2 : (i+1)/2]
		if i%2 == 1 {
			pan[i/2] |= 0x0F
		}
		return pan
	}
	return nil
}
