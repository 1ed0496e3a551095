package virtual

import (
	"bytes"
	"crypto/aes"
)

// askAES begins AuthenticateAES, whose messages each go on from the last block of the one
// before.
func (l *lock) askAES(data []byte) []byte {
	l.shut()
	switch {
	case len(data) != 1:
		return statusLength.with(nil)
	case int(data[0]) >= len(l.keys):
		return statusNoKey.with(nil)
	case l.failed[data[0]] >= mostFailed:
		return statusDelay.with(nil)
	}
	l.asked = &asked{number: data[0], chained: true}
	draw(l.asked.rndB[:])
	return statusMore.with(l.asked.challenge(l.keys[data[0]]))
}

// answerAES reads what the reader says to the challenge, and opens a chain to one that could
// read it.
func (l *lock) answerAES(token []byte) []byte {
	a := l.asked
	l.shut()
	if len(token) != 2*aes.BlockSize {
		return statusLength.with(nil)
	}
	key := l.keys[a.number]
	text := decrypt(key, a.challenge(key), token)
	if !bytes.Equal(text[aes.BlockSize:], rotated(a.rndB[:])) {
		l.failed[a.number]++
		l.failures++
		return statusAuth.with(nil)
	}
	l.failed[a.number] = 0
	l.chain = newChain(a.number, text[:aes.BlockSize], a.rndB[:])
	return statusDone.with(encrypt(key, token[aes.BlockSize:], rotated(text[:aes.BlockSize])))
}
