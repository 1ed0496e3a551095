package card

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"fmt"
	"io"
)

// Key is an AES key of 128 bits. It prints as a placeholder under every verb.
type Key [16]byte

// Format implements [fmt.Formatter].
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[card key]") }

// MarshalText keeps keys out of JSON and logs.
func (Key) MarshalText() ([]byte, error) { return []byte("[card key]"), nil }

const blockSize = aes.BlockSize

// block is AES under the key.
func (k Key) block() cipher.Block {
	b, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err) // 16 bytes are a key
	}
	return b
}

// encrypt and decrypt are CBC over whole blocks, from an initialization vector.
func (k Key) encrypt(iv [blockSize]byte, plain []byte) []byte {
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(k.block(), iv[:]).CryptBlocks(out, plain)
	return out
}

func (k Key) decrypt(iv [blockSize]byte, secret []byte) []byte {
	out := make([]byte, len(secret))
	cipher.NewCBCDecrypter(k.block(), iv[:]).CryptBlocks(out, secret)
	return out
}

// CMAC is the AES-CMAC of a message (RFC 4493).
func (k Key) CMAC(message []byte) [blockSize]byte {
	return k.cmac([blockSize]byte{}, message, blockSize)
}

// cmac pads a message that is shorter than least to least, and begins with a sum; it is
// AES-CMAC where least is one block and the sum zeros.
func (k Key) cmac(sum [blockSize]byte, message []byte, least int) [blockSize]byte {
	b := k.block()
	var zero, whole [blockSize]byte
	b.Encrypt(whole[:], zero[:])
	whole = double(whole) // K1, for a message of whole blocks
	mask := whole
	if len(message) < least || len(message)%blockSize != 0 {
		mask = double(whole) // K2, for one that is padded
		message = pad(message, least)
	}
	for at := 0; at < len(message); at += blockSize {
		subtle.XORBytes(sum[:], sum[:], message[at:at+blockSize])
		if at+blockSize == len(message) {
			subtle.XORBytes(sum[:], sum[:], mask[:])
		}
		b.Encrypt(sum[:], sum[:])
	}
	return sum
}

// double is the doubling in GF(2^128) that makes the subkeys of RFC 4493.
func double(b [blockSize]byte) (d [blockSize]byte) {
	carry := byte(0)
	for i := len(b) - 1; i >= 0; i-- {
		d[i] = b[i]<<1 | carry
		carry = b[i] >> 7
	}
	d[len(d)-1] ^= 0x87 & -carry
	return d
}

// pad appends a one bit and zeros, to at least so many bytes and to whole blocks
// (ISO/IEC 9797-1, method 2). The argument is left as it is.
func pad(message []byte, least int) []byte {
	size := max(least, (len(message)/blockSize+1)*blockSize)
	padded := make([]byte, size)
	copy(padded, message)
	padded[len(message)] = 0x80
	return padded
}

// unpad takes the padding off again.
func unpad(padded []byte) ([]byte, error) {
	for i := len(padded) - 1; i >= 0; i-- {
		switch padded[i] {
		case 0:
		case 0x80:
			return padded[:i], nil
		default:
			return nil, errAnswer
		}
	}
	return nil, errAnswer
}

// MAC is a CMAC cut to 8 bytes, as NXP's cards send it.
type MAC [8]byte

// truncate takes every second byte of a CMAC (AN12196, 3.3).
func truncate(sum [blockSize]byte) (m MAC) {
	for i := range m {
		m[i] = sum[2*i+1]
	}
	return m
}

// equal compares in constant time.
func (m MAC) equal(other MAC) bool { return subtle.ConstantTimeCompare(m[:], other[:]) == 1 }
