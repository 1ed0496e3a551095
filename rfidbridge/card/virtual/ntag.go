package virtual

import (
	"slices"
	"sync"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// ATR is what a contactless reader shows of a card by ISO 14443-4 whose historical bytes
// say nothing (PC/SC part 3): of an NTAG 424 DNA and of a DESFire.
var ATR = []byte{0x3B, 0x81, 0x80, 0x01, 0x80, 0x80}

// NTAG is an NTAG 424 DNA. It is safe for concurrent use.
type NTAG struct {
	uid card.UID

	mu          sync.Mutex
	hides       bool    // shows strangers a number that it draws at each reset
	drawn       [4]byte // that number
	application bool    // selected
	lock        *lock
	ndef        ndefFile
	rest        frames
	signature   [card.SignatureSize]byte // of NXP over the number
}

// NewNTAG is a card with keys of version 1, which shows a URL as a SUN message: its number
// and counter encrypted, and a MAC over nothing. picc= and cmac= are put behind the URL.
func NewNTAG(uid card.UID, keys [5]card.Key, url string) *NTAG {
	return &NTAG{uid: uid, lock: newLock(slices.Clone(keys[:]), 1), ndef: sunFile(url)}
}

// FactoryNTAG is a card as it leaves the factory: its keys are zeros, its file is empty,
// and anybody may write it. signature is NXP's of the number.
func FactoryNTAG(uid card.UID, signature [card.SignatureSize]byte) *NTAG {
	return &NTAG{
		uid: uid, lock: newLock(make([]card.Key, 5), 0), ndef: ndefFile{rights: [2]byte{0xE0, 0xEE}}, signature: signature,
	}
}

// UID is the card's number.
func (n *NTAG) UID() card.UID { return n.uid }

// SUN is the message of the next time that the card is read.
func (n *NTAG) SUN() (picc [16]byte, mac card.MAC) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.message(nil)
}

// HideUID has the card show strangers another number after each Reset, as it can be told to
// once and for all.
func (n *NTAG) HideUID() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hides = true
	n.reset()
}

// Failures is how many authentications have failed, ever.
func (n *NTAG) Failures() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lock.failures
}

// Reset is what happens to the card when it loses the reader's field.
func (n *NTAG) Reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reset()
}

func (n *NTAG) reset() {
	draw(n.drawn[:])
	n.drawn[0] = 0x08 // by which a drawn number is known (ISO 14443-3)
	n.deselect()
}

// deselect forgets what was selected, and who was authenticated for it.
func (n *NTAG) deselect() {
	n.application, n.rest = false, nil
	n.ndef.selected = nil
	n.lock.shut()
}

// Transmit answers a command as the card does.
func (n *NTAG) Transmit(apdu []byte) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(apdu) < 4 {
		return wrongLength
	}
	data, ok := dataOf(apdu)
	switch {
	case string(apdu[:4]) == "\xff\xca\x00\x00": // the reader's own: the number
		if n.hides {
			return slices.Concat(n.drawn[:], done)
		}
		return slices.Concat(n.uid[:], done)
	case !ok && apdu[0] == 0x90:
		n.lock.shut()
		return statusLength.with(nil)
	case !ok:
		return wrongLength
	case apdu[0] == 0x90:
		return n.native(apdu[1], data)
	case string(apdu[:3]) == "\x00\xa4\x04": // select the application by its name
		n.deselect()
		if string(data) != "\xd2\x76\x00\x00\x85\x01\x01" {
			return notFound
		}
		n.application = true
		return done
	case string(apdu[:3]) == "\x00\xa4\x00": // select a file: reading it anew makes a new message
		if !n.application || string(data) != "\xe1\x04" {
			return notFound
		}
		n.ndef.selected = n.shown()
		return done
	case apdu[0] == 0x00 && apdu[1] == 0xB0:
		return n.ndef.read(int(apdu[2])<<8|int(apdu[3]), apdu[4:])
	}
	return unknown
}
