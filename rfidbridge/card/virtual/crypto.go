package virtual

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

func cipherOf(key card.Key) cipher.Block {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the size is right
	}
	return block
}

var noVector = make([]byte, aes.BlockSize)

// encrypt and decrypt are CBC over whole blocks, as the cards do it.
func encrypt(key card.Key, vector, text []byte) []byte {
	block, secret := cipherOf(key), slices.Clone(text)
	for at := 0; at < len(secret); at += aes.BlockSize {
		one := secret[at : at+aes.BlockSize]
		subtle.XORBytes(one, one, vector)
		block.Encrypt(one, one)
		vector = one
	}
	return secret
}

func decrypt(key card.Key, vector, secret []byte) []byte {
	block, text := cipherOf(key), make([]byte, len(secret))
	for at := 0; at < len(secret); at += aes.BlockSize {
		one := text[at : at+aes.BlockSize]
		block.Decrypt(one, secret[at:])
		subtle.XORBytes(one, one, vector)
		vector = secret[at : at+aes.BlockSize]
	}
	return text
}

// signature is the CMAC of a message, of which every other byte is sent, from the second on.
func signature(key card.Key, message []byte) (mac card.MAC) {
	full := key.CMAC(message)
	for i := range mac {
		mac[i] = full[2*i+1]
	}
	return mac
}

// rotated is a random number with its first byte last.
func rotated(number []byte) []byte {
	return append(append([]byte{}, number[1:]...), number[0])
}

func draw(to []byte) { _, _ = rand.Read(to) } // never fails
