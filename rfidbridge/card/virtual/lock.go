package virtual

import (
	"bytes"
	"crypto/aes"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// mostFailed is after how many wrong tries in a row a key is not asked any more. A real chip
// makes one wait longer and longer then, and gives up the key for good after a thousand;
// this one has no clock, and waits for ever.
const mostFailed = 50

// lock is the door of a chip with AES keys: the keys, how often somebody has tried with
// wrong ones, and who is in.
type lock struct {
	keys     []card.Key
	versions []byte
	failed   []int // in a row, by key
	failures int   // ever, with any key
	asked    *asked
	channel  *channel // to whoever is authenticated; nil: nobody
	chain    *chain   // the same, by AuthenticateAES
}

// asked is a challenge that waits for its answer.
type asked struct {
	number  byte
	first   bool // of a session
	chained bool // by AuthenticateAES
	rndB    [aes.BlockSize]byte
}

// challenge is what goes to the reader.
func (a *asked) challenge(key card.Key) []byte { return encrypt(key, noVector, a.rndB[:]) }

func newLock(keys []card.Key, version byte) *lock {
	return &lock{keys: keys, versions: bytes.Repeat([]byte{version}, len(keys)), failed: make([]int, len(keys))}
}

// shut forgets who is in and who is at the door.
func (l *lock) shut() { l.asked, l.channel, l.chain = nil, nil, nil }

// ask begins AuthenticateEV2First, with the capabilities of the reader behind the key's
// number, or AuthenticateEV2NonFirst, within a session.
func (l *lock) ask(data []byte, first bool) []byte {
	before := l.channel
	l.shut()
	switch {
	case first && (len(data) < 2 || int(data[1]) != len(data)-2), !first && len(data) != 1:
		return statusLength.with(nil)
	case int(data[0]) >= len(l.keys):
		return statusNoKey.with(nil)
	case !first && before == nil:
		return statusPermission.with(nil)
	case l.failed[data[0]] >= mostFailed:
		return statusDelay.with(nil)
	}
	l.channel = before
	l.asked = &asked{number: data[0], first: first}
	draw(l.asked.rndB[:])
	return statusMore.with(l.asked.challenge(l.keys[data[0]]))
}

// answer reads what the reader says to the challenge, and opens a channel to one that could
// read it.
func (l *lock) answer(token []byte) []byte {
	a, before := l.asked, l.channel
	l.shut()
	if len(token) != 2*aes.BlockSize {
		return statusLength.with(nil)
	}
	key := l.keys[a.number]
	text := decrypt(key, noVector, token)
	rndA := text[:aes.BlockSize]
	if !bytes.Equal(text[aes.BlockSize:], rotated(a.rndB[:])) {
		l.failed[a.number]++
		l.failures++
		return statusAuth.with(nil)
	}
	l.failed[a.number] = 0
	l.channel = newChannel(a.number, key, rndA, a.rndB[:])
	if !a.first {
		l.channel.transaction, l.channel.counter = before.transaction, before.counter
		return statusDone.with(encrypt(key, noVector, rotated(rndA)))
	}
	draw(l.channel.transaction[:])
	proof := append(l.channel.transaction[:4:4], rotated(rndA)...)
	return statusDone.with(encrypt(key, noVector, append(proof, make([]byte, 12)...))) // no capabilities
}
