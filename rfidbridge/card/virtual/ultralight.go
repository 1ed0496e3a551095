package virtual

import (
	"bytes"
	"crypto/aes"
	"slices"
	"sync"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// UltralightATR is what a contactless reader shows of a MIFARE Ultralight (PC/SC part 3).
var UltralightATR = []byte{
	0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x68,
}

// The pages of a MIFARE Ultralight AES, of four bytes each (MF0AES(H)20, 8.5).
const (
	pageSize    = 4
	capability  = 0x03 // which can be set, bit by bit, and never cleared
	userPage    = 0x04
	lockPage    = 0x28
	configPage  = 0x29 // its last byte is the first page that needs an authentication
	accessPage  = 0x2A // the highest bit of its first: for reading too
	keyPage     = 0x30 // two keys of four pages, the last byte first
	memoryPages = 0x3C
	keyPages    = 4
)

// Ultralight is a MIFARE Ultralight AES, on a reader that carries the chip's own frames in
// its command FF 00 00 00. It is safe for concurrent use.
type Ultralight struct {
	uid card.UID

	mu       sync.Mutex
	memory   [memoryPages * pageSize]byte
	keys     [2]card.Key // those in force: what is written to their pages is, from the next authentication on
	asked    *asked
	inside   bool // with the first key
	failures int
}

// NewUltralight is a chip as it leaves the factory: its keys are zeros, and nothing needs
// them.
func NewUltralight(uid card.UID) *Ultralight {
	u := &Ultralight{uid: uid}
	check := func(start byte, of []byte) byte {
		for _, b := range of {
			start ^= b
		}
		return start
	}
	copy(u.memory[:], slices.Concat(uid[:3], []byte{check(0x88, uid[:3])}, uid[3:], []byte{check(0x00, uid[3:]), 0x48}))
	u.memory[configPage*pageSize+3] = memoryPages
	u.memory[accessPage*pageSize+1] = 0x05
	return u
}

// UID is the card's number.
func (u *Ultralight) UID() card.UID { return u.uid }

// Failures is how many authentications have failed, ever.
func (u *Ultralight) Failures() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.failures
}

// Reset is what happens to the card when it loses the reader's field.
func (u *Ultralight) Reset() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.halt()
}

func (u *Ultralight) halt() { u.asked, u.inside = nil, false }

// Transmit answers a command as a reader does that the card lies on.
func (u *Ultralight) Transmit(apdu []byte) []byte {
	if len(apdu) < 5 {
		return wrongLength
	}
	data, ok := dataOf(apdu)
	switch {
	case string(apdu[:4]) == "\xff\xca\x00\x00":
		return slices.Concat(u.uid[:], done)
	case string(apdu[:3]) == "\xff\xb0\x00" && len(apdu) == 5: // read pages
		pages := u.Frame([]byte{0x30, apdu[3]})
		if len(pages) < int(apdu[4]) {
			return notFound
		}
		return slices.Concat(pages[:apdu[4]], done)
	case string(apdu[:3]) == "\xff\xd6\x00" && len(data) == pageSize: // write one
		if !bytes.Equal(u.Frame(append([]byte{0xA2, apdu[3]}, data...)), acknowledged) {
			return notFound
		}
		return done
	case string(apdu[:4]) == "\xff\x00\x00\x00" && ok && len(data) > 2 && string(data[:2]) == "\xd4\x42":
		return slices.Concat([]byte{0xD5, 0x43, 0x00}, u.Frame(data[2:]), done)
	}
	return unknown
}

// Answers of four bits, as a reader hands them on.
var (
	acknowledged = []byte{0x0A}
	refused      = []byte{0x00}
)

// Frame answers one of the chip's own. What it refuses ends a session.
func (u *Ultralight) Frame(frame []byte) []byte {
	u.mu.Lock()
	defer u.mu.Unlock()
	answer := u.frame(frame)
	if len(answer) == 1 && answer[0] != acknowledged[0] {
		u.halt()
	}
	return answer
}

func (u *Ultralight) frame(frame []byte) []byte {
	switch {
	case len(frame) == 1 && frame[0] == getVersion:
		return []byte{0x00, 0x04, 0x03, 0x01, 0x04, 0x00, 0x0F, 0x03}
	case len(frame) == 2 && frame[0] == 0x30:
		return u.read(int(frame[1]))
	case len(frame) == 2+pageSize && frame[0] == 0xA2:
		return u.write(int(frame[1]), frame[2:])
	case len(frame) == 2 && frame[0] == 0x1A && int(frame[1]) < len(u.keys):
		u.halt()
		u.asked = &asked{number: frame[1]}
		draw(u.asked.rndB[:])
		return append([]byte{0xAF}, u.asked.challenge(u.keys[frame[1]])...)
	case len(frame) == 1+2*aes.BlockSize && frame[0] == 0xAF && u.asked != nil:
		return u.answer(frame[1:])
	}
	return refused
}

func (u *Ultralight) answer(token []byte) []byte {
	a := u.asked
	u.halt()
	key := u.keys[a.number]
	text := decrypt(key, noVector, token)
	if !bytes.Equal(text[aes.BlockSize:], rotated(a.rndB[:])) {
		u.failures++
		return refused
	}
	u.inside = a.number == 0 // the other key is for the number of a chip that hides it
	return append([]byte{0x00}, encrypt(key, noVector, rotated(text[:aes.BlockSize]))...)
}

// closed reports whether a page needs an authentication that has not been.
func (u *Ultralight) closed(page int) bool {
	return !u.inside && page >= int(u.memory[configPage*pageSize+3])
}

// read is four pages; keys read as zeros. Behind the last page it goes on with the first.
func (u *Ultralight) read(page int) []byte {
	const most = 4
	if page >= memoryPages || u.memory[accessPage*pageSize]&0x80 != 0 && u.closed(page) {
		return refused
	}
	var all []byte
	for i := range most {
		at := (page + i) % memoryPages
		if at >= keyPage {
			all = append(all, make([]byte, pageSize)...)
			continue
		}
		all = append(all, u.memory[at*pageSize:(at+1)*pageSize]...)
	}
	return all
}

func (u *Ultralight) write(page int, data []byte) []byte {
	to := u.memory[min(page, memoryPages-1)*pageSize:][:pageSize]
	switch {
	case page < capability || page >= keyPage+len(u.keys)*keyPages || page == lockPage || u.closed(page):
		return refused
	case page == capability:
		for i, b := range data {
			to[i] |= b
		}
		return acknowledged
	}
	copy(to, data)
	for i := range u.keys {
		stored := u.memory[(keyPage+i*keyPages)*pageSize:][:aes.BlockSize]
		for j := range u.keys[i] {
			u.keys[i][j] = stored[len(stored)-1-j]
		}
	}
	return acknowledged
}
