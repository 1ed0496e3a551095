package emv

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // EMV knows no other hash
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
)

// Authority is a payment scheme's public key, which the operator supplies.
type Authority struct {
	RID   [5]byte // of the scheme: the first five bytes of a card's application
	Index byte    // 8F on the card

	key publicKey
}

var (
	// ErrForged is a certificate or a signature that was not made by whom it claims.
	ErrForged = errors.New("the card's signature is not that of a card of its scheme")

	// ErrExpired is a certificate whose time is over.
	ErrExpired = errors.New("the card's certificate has expired")

	errAuthority = errors.New("the authority's key is not one: modulus, exponent and hash do not belong together")
)

// Sizes of the moduli that EMV allows, in bytes.
const (
	leastModulus = 64
	mostModulus  = 248
)

// NewAuthority checks a key against the hash that the scheme has published with it: SHA-1
// of RID, index, modulus and exponent.
func NewAuthority(rid [5]byte, index byte, modulus, exponent, hash []byte) (*Authority, error) {
	sum := sha1.Sum(bytes.Join([][]byte{rid[:], {index}, modulus, exponent}, nil)) //nolint:gosec // see above
	key, err := newPublicKey(modulus, exponent)
	if err != nil || subtle.ConstantTimeCompare(sum[:], hash) != 1 {
		return nil, errAuthority
	}
	return &Authority{RID: rid, Index: index, key: key}, nil
}

// publicKey is an RSA key with which messages are recovered from signatures.
type publicKey struct {
	modulus  *big.Int
	exponent *big.Int
	size     int
}

// newPublicKey allows the two exponents that EMV does.
func newPublicKey(modulus, exponent []byte) (publicKey, error) {
	k := publicKey{modulus: new(big.Int).SetBytes(modulus), exponent: new(big.Int).SetBytes(exponent), size: len(modulus)}
	e := k.exponent.Uint64()
	if k.size < leastModulus || k.size > mostModulus || modulus[0] < 0x80 || !k.exponent.IsUint64() || e != 3 && e != 65537 {
		return publicKey{}, fmt.Errorf("%w: its key is none", ErrForged)
	}
	return k, nil
}

// Each recovered message begins and ends with a byte of its own, and has a hash before the
// last (EMV Book 2, 5.1 and 6).
const (
	header  = 0x6A
	trailer = 0xBC
)

// recover opens a signature, and returns what is between its first byte and its hash. more
// is what the hash covers besides.
func (k publicKey) recover(signature []byte, format byte, more ...[]byte) (content []byte, err error) {
	content, hash, err := k.open(signature, format)
	if err != nil {
		return nil, err
	}
	sum := sha1.New() //nolint:gosec // EMV knows no other hash
	sum.Write(content)
	for _, part := range more {
		sum.Write(part)
	}
	if subtle.ConstantTimeCompare(sum.Sum(nil), hash) != 1 {
		return nil, ErrForged
	}
	return content, nil
}

// open is recover without looking at the hash.
func (k publicKey) open(signature []byte, format byte) (content, hash []byte, err error) {
	number := new(big.Int).SetBytes(signature)
	if len(signature) != k.size || number.Cmp(k.modulus) >= 0 {
		return nil, nil, ErrForged
	}
	message := number.Exp(number, k.exponent, k.modulus).FillBytes(make([]byte, k.size))
	clear(number.Bits()) // a card's number may be in it
	at := k.size - 1 - sha1.Size
	if message[0] != header || message[k.size-1] != trailer || message[1] != format {
		return nil, nil, ErrForged
	}
	return message[1:at], message[at : at+sha1.Size], nil
}
