package virtual

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // EMV knows no other hash
	"io"
	"math/big"
	"slices"
)

// BankScheme is a payment scheme that is nobody's: keys of an authority, of an issuer and of
// that issuer's cards. All cards of a scheme have one key, so that many are made at once.
type BankScheme struct {
	RID                     [5]byte
	Index                   byte
	Authority, Issuer, Card *rsa.PrivateKey
}

// BankExponent is that of all the keys, as it stands beside a modulus.
var BankExponent = []byte{0x01, 0x00, 0x01}

// NewBankScheme draws keys of the sizes that schemes have: 1984, 1408 and 1152 bits. It
// takes about a second.
func NewBankScheme(random io.Reader) (*BankScheme, error) {
	s := &BankScheme{RID: [5]byte{0xF0, 0x00, 0x00, 0x00, 0x01}, Index: 0x01}
	for _, draw := range []struct {
		key  **rsa.PrivateKey
		bits int
	}{{&s.Authority, 1984}, {&s.Issuer, 1408}, {&s.Card, 1152}} {
		key, err := rsa.GenerateKey(random, draw.bits)
		if err != nil {
			return nil, err
		}
		*draw.key = key
	}
	return s, nil
}

// Hash is what a scheme publishes beside its authority's key, to know it by.
func (s *BankScheme) Hash() []byte {
	sum := sha1.Sum(slices.Concat(s.RID[:], []byte{s.Index}, s.Authority.N.Bytes(), BankExponent)) //nolint:gosec // EMV's
	return sum[:]
}

// BankSign makes a signature from which a message is recovered (EMV Book 2, annex A2.1).
// more is what its hash covers besides.
func BankSign(key *rsa.PrivateKey, content []byte, more ...[]byte) []byte {
	room := key.Size() - 2 - sha1.Size
	content = append(slices.Clone(content), bytes.Repeat([]byte{0xBB}, max(0, room-len(content)))...)
	sum := sha1.Sum(slices.Concat(content, slices.Concat(more...))) //nolint:gosec // EMV's
	m := new(big.Int).SetBytes(slices.Concat([]byte{0x6A}, content, sum[:], []byte{0xBC}))
	return m.Exp(m, key.D, key.N).FillBytes(make([]byte, key.Size()))
}

// BankCertify makes a certificate of a key, and returns what of the key has no room in it.
// head is what stands before the algorithms: format, whose it is, month and serial.
func BankCertify(by, of *rsa.PrivateKey, head []byte, more ...[]byte) (certificate, remainder []byte) {
	modulus := of.N.Bytes()
	head = append(slices.Clone(head), 0x01, 0x01, byte(len(modulus)), byte(len(BankExponent)))
	room := min(by.Size()-2-sha1.Size-len(head), len(modulus))
	remainder = modulus[room:]
	covered := append([][]byte{remainder, BankExponent}, more...)
	return BankSign(by, append(head, modulus[:room]...), covered...), remainder
}
