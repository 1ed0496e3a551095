package virtual

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"

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
	secret := make([]byte, len(text))
	cipher.NewCBCEncrypter(cipherOf(key), vector).CryptBlocks(secret, text)
	return secret
}

func decrypt(key card.Key, vector, secret []byte) []byte {
	text := make([]byte, len(secret))
	cipher.NewCBCDecrypter(cipherOf(key), vector).CryptBlocks(text, secret)
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
