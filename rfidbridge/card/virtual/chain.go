package virtual

import (
	"crypto/aes"
	"crypto/subtle"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// chain is the card's end of a session by AuthenticateAES: each message goes on from the
// last block of the one before.
type chain struct {
	number byte // of the key that has opened it
	key    card.Key
	vector []byte
}

func newChain(number byte, rndA, rndB []byte) *chain {
	return &chain{number, card.Key(slices.Concat(rndA[:4], rndB[:4], rndA[12:], rndB[12:])), noVector}
}

// take decrypts what a command has brought.
func (c *chain) take(secret []byte) []byte {
	text := decrypt(c.key, c.vector, secret)
	c.vector = slices.Clone(secret[len(secret)-aes.BlockSize:])
	return text
}

// sign is what is put behind an answer that says success and nothing else: half of the CMAC
// of the status, which goes on from the last block.
func (c *chain) sign() []byte {
	sum := make([]byte, aes.BlockSize)
	cipherOf(c.key).Encrypt(sum, sum)
	for range 2 { // the mask for a message that is padded
		sum = doubled(sum)
	}
	subtle.XORBytes(sum, sum, pad([]byte{byte(statusDone)}))
	c.vector = encrypt(c.key, c.vector, sum)
	return c.vector[:len(card.MAC{})]
}

// doubled is a block times two, in the field of RFC 4493.
func doubled(block []byte) []byte {
	double := make([]byte, len(block))
	for i, b := range block {
		double[i] = b << 1
		if i+1 < len(block) {
			double[i] |= block[i+1] >> 7
		}
	}
	if block[0]&0x80 != 0 {
		double[len(double)-1] ^= 0x87
	}
	return double
}

// changeKeyAES is ChangeKey within a chain: the key and its version, the checksum of the
// command, that of the key where it is not the session's, and zeros to whole blocks.
func (l *lock) changeKeyAES(data []byte) status {
	const size, sum = 16, 4
	switch {
	case len(data) != 1+2*aes.BlockSize:
		return statusLength
	case l.chain.number != 0:
		return statusPermission
	case int(data[0]) >= len(l.keys):
		return statusNoKey
	}
	number, text := data[0], l.chain.take(data[1:])
	head, rest := text[:size+1], text[size+1:]
	if !slices.Equal(rest[:sum], checksum(slices.Concat([]byte{changeKey, number}, head))) {
		return statusIntegrity
	}
	end := sum
	if number != 0 {
		end += sum
	}
	if !slices.Equal(rest[end:], make([]byte, len(rest)-end)) {
		return statusIntegrity
	}
	return l.put(number, head[:size], head[size], rest[sum:end])
}
