package card

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
)

// challenge is what the three kinds of mutual authentication have in common: each side
// sends a random number, and shows that it could read the other's.
type challenge struct {
	key        Key
	random     io.Reader
	rndA, rndB [blockSize]byte
	last       [blockSize]byte // the last block on the wire, for those that chain
	step       step
}

// Format keeps the key and the numbers from being printed with what holds them.
func (challenge) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[authentication]") }

type step int

const (
	unasked step = iota // nothing was sent
	asked               // the card's challenge is expected
	replied             // the card's proof is expected
	over
)

func newChallenge(key Key) challenge { return challenge{key: key, random: rand.Reader} }

// to goes one step on, or says that it is another's turn: a proof that is asked for twice
// is another authentication.
func (c *challenge) to(next step) error {
	if c.step != next-1 {
		c.step = over
		return errOrder
	}
	c.step = next
	return nil
}

// reply reads the card's challenge, and encrypts ours with it. A card that chains goes on
// from the last block on the wire.
func (c *challenge) reply(secret []byte, chained bool) (token []byte, err error) {
	if err := c.to(replied); err != nil {
		return nil, err
	}
	if len(secret) != blockSize {
		c.step = over
		return nil, errAnswer
	}
	copy(c.rndB[:], c.key.decrypt([blockSize]byte{}, secret))
	if _, err := io.ReadFull(c.random, c.rndA[:]); err != nil {
		c.step = over
		return nil, fmt.Errorf("%w: %w", errRandom, err)
	}
	var iv [blockSize]byte
	if chained {
		copy(iv[:], secret)
	}
	token = c.key.encrypt(iv, append(c.rndA[:], rotated(c.rndB[:])...))
	copy(c.last[:], token[len(token)-blockSize:])
	return token, nil
}

// proved reports whether the card has read our challenge.
func (c *challenge) proved(rndA []byte) error {
	if subtle.ConstantTimeCompare(rndA, rotated(c.rndA[:])) != 1 {
		return ErrForged
	}
	return nil
}

// session derives a key of the session from both challenges (AN12196, 5.6: SV1 and SV2).
func (c *challenge) session(first, second byte) Key {
	v := []byte{first, second, 0x00, 0x01, 0x00, 0x80}
	v = append(v, c.rndA[:2]...)
	for i := range 6 {
		v = append(v, c.rndA[2+i]^c.rndB[i])
	}
	v = append(v, c.rndB[6:]...)
	return c.key.CMAC(append(v, c.rndA[8:]...))
}
