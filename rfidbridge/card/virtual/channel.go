package virtual

import (
	"crypto/aes"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// channel is the card's end of a session by EV2 (AN12196, 5): it believes commands that the
// session's keys have signed, in their order.
type channel struct {
	number      byte // of the key that has opened it
	transaction [4]byte
	enc, mac    card.Key
	counter     uint16 // of commands
}

// newChannel derives the keys of a session from both random numbers.
func newChannel(number byte, key card.Key, rndA, rndB []byte) *channel {
	mixed := slices.Clone(rndA[2:8])
	for i := range mixed {
		mixed[i] ^= rndB[i]
	}
	behind := slices.Concat([]byte{0x00, 0x01, 0x00, 0x80}, rndA[:2], mixed, rndB[6:], rndA[8:])
	return &channel{
		number: number,
		enc:    key.CMAC(append([]byte{0xA5, 0x5A}, behind...)),
		mac:    key.CMAC(append([]byte{0x5A, 0xA5}, behind...)),
	}
}

func (c *channel) sign(code byte, content ...[]byte) card.MAC {
	head := []byte{code, byte(c.counter), byte(c.counter >> 8)}
	return signature(c.mac, slices.Concat(head, c.transaction[:], slices.Concat(content...)))
}

func (c *channel) vector(first, second byte) []byte {
	text := append([]byte{first, second}, c.transaction[:]...)
	text = append(text, byte(c.counter), byte(c.counter>>8))
	text = append(text, make([]byte, 8)...)
	cipherOf(c.enc).Encrypt(text, text)
	return text
}

// take reads a command's data: a header in plain, then what is encrypted where it is
// secret, then the MAC over all. The status is why it is not believed.
func (c *channel) take(command byte, data []byte, header int, secret bool) (head, body []byte, s status) {
	end := len(data) - len(card.MAC{})
	if end < header {
		return nil, nil, statusLength
	}
	if mac := c.sign(command, data[:end]); !slices.Equal(mac[:], data[end:]) {
		return nil, nil, statusIntegrity
	}
	head, body = data[:header], data[header:end]
	if secret && len(body) > 0 {
		if len(body)%aes.BlockSize != 0 {
			return nil, nil, statusLength
		}
		if body = unpad(decrypt(c.enc, c.vector(0xA5, 0x5A), body)); body == nil {
			return nil, nil, statusIntegrity
		}
	}
	return head, body, statusDone
}

// give makes the answer to a command that was carried out.
func (c *channel) give(data []byte, secret bool) []byte {
	c.counter++
	if secret && len(data) > 0 {
		data = encrypt(c.enc, c.vector(0x5A, 0xA5), pad(data))
	}
	mac := c.sign(0x00, data)
	return statusDone.with(append(slices.Clone(data), mac[:]...))
}

// pad puts a one bit and zeros behind a message, to whole blocks.
func pad(message []byte) []byte {
	padded := append(slices.Clone(message), 0x80)
	for len(padded)%aes.BlockSize != 0 {
		padded = append(padded, 0x00)
	}
	return padded
}

// unpad takes the padding off again; nil where there is none.
func unpad(padded []byte) []byte {
	for end := len(padded) - 1; end >= 0; end-- {
		switch padded[end] {
		case 0x80:
			return padded[:end:end]
		case 0x00:
		default:
			return nil
		}
	}
	return nil
}
