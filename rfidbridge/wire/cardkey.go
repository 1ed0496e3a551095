package wire

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha512"
	"math/big"
	"slices"
)

// A card's key is sealed for the kiosk that may have it (RFC 9180), to the key by which it
// signs: whoever ends TLS before the paywall, or writes requests down, does not read it.
// Ed25519 and X25519 are one curve in two forms (RFC 7748, 4.1), and a kiosk's secret
// number is that of its signatures (RFC 8032, 5.1.5). The two uses do not meet: neither
// signs what the other agrees on.

const cardKeyInfo = "caddy-paywall key of a card"

// SealCardKey seals the key of a card for a kiosk and a handle.
func SealCardKey(to ed25519.PublicKey, handle string, key []byte) ([]byte, error) {
	point, err := ecdh.X25519().NewPublicKey(montgomery(to))
	if err != nil {
		return nil, err
	}
	recipient, err := hpke.NewDHKEMPublicKey(point)
	if err != nil {
		return nil, err
	}
	return hpke.Seal(recipient, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(cardKeyInfo+handle), key)
}

// OpenCardKey opens what SealCardKey has sealed.
func OpenCardKey(kiosk ed25519.PrivateKey, handle string, sealed []byte) ([]byte, error) {
	secret := sha512.Sum512(kiosk.Seed())
	scalar, err := ecdh.X25519().NewPrivateKey(secret[:32])
	if err != nil {
		return nil, err
	}
	recipient, err := hpke.NewDHKEMPrivateKey(scalar)
	if err != nil {
		return nil, err
	}
	return hpke.Open(recipient, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(cardKeyInfo+handle), sealed)
}

// montgomery is the u of an Edwards point, from its y: (1+y)/(1-y) modulo 2^255-19.
func montgomery(point []byte) []byte {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	reversed := slices.Clone(point)
	slices.Reverse(reversed) // little-endian
	reversed[0] &= 0x7f      // without the sign of x
	y, one := new(big.Int).SetBytes(reversed), big.NewInt(1)
	u := new(big.Int).ModInverse(new(big.Int).Mod(new(big.Int).Sub(one, y), p), p)
	if u == nil { // y is 1: the point of nobody's key
		u = new(big.Int)
	}
	u.Mul(u, new(big.Int).Add(one, y)).Mod(u, p)
	out := u.FillBytes(make([]byte, 32))
	slices.Reverse(out)
	return out
}
