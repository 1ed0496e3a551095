// Package virtual is cards in software, for tests and for trying things out without
// hardware: they answer the commands that a reader sends as the real ones do, and can be
// told to misbehave.
//
// It promises what the data sheets say of what the bridge uses, and no more. A virtual card
// keeps nothing: it is gone with its process.
package virtual

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// ATR is what a contactless reader shows of a card by ISO 14443-4 whose historical bytes
// say nothing (PC/SC part 3): of an NTAG 424 DNA and of a DESFire.
var ATR = []byte{0x3B, 0x81, 0x80, 0x01, 0x80, 0x80}

// NTAG is an NTAG 424 DNA that has been told to show a SUN message: its number and counter
// encrypted, and a MAC over nothing. It is safe for concurrent use.
type NTAG struct {
	uid  card.UID
	keys [5]card.Key
	url  string

	mu      sync.Mutex
	counter uint32
	file    []byte // selected; nil: none
}

// NewNTAG is a card with keys, which shows a URL; picc= and cmac= are put behind it.
func NewNTAG(uid card.UID, keys [5]card.Key, url string) *NTAG {
	return &NTAG{uid: uid, keys: keys, url: url}
}

// UID is the card's number.
func (n *NTAG) UID() card.UID { return n.uid }

// SUN is the message of the next time that the card is read.
func (n *NTAG) SUN() (picc [16]byte, mac card.MAC) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.message()
}

func (n *NTAG) message() (picc [16]byte, mac card.MAC) {
	n.counter++
	var counter [4]byte
	binary.LittleEndian.PutUint32(counter[:], n.counter)
	plain := append([]byte{0xC7}, n.uid[:]...)
	plain = append(plain, counter[:3]...)
	plain = append(plain, make([]byte, 5)...)
	_, _ = rand.Read(plain[11:]) // never fails
	encrypt(n.keys[1], plain, picc[:])
	vector := append([]byte{0x3C, 0xC3, 0x00, 0x01, 0x00, 0x80}, n.uid[:]...)
	session := card.Key(n.keys[2].CMAC(append(vector, counter[:3]...)))
	full := session.CMAC(nil)
	for i := range mac {
		mac[i] = full[2*i+1] // every other byte, from the second on
	}
	return picc, mac
}

func encrypt(key card.Key, plain, to []byte) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the size is right
	}
	cipher.NewCBCEncrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(to, plain) //nolint:gosec // the card's format: AN12196, 3.4.2
}

// The status words of answers.
var (
	done        = []byte{0x90, 0x00}
	notFound    = []byte{0x6A, 0x82}
	wrongLength = []byte{0x67, 0x00}
	unknown     = []byte{0x6D, 0x00}
	uriRecord   = []byte{0xD1, 0x01} // then length, 'U', and which beginning the address has
)

// Transmit answers a command as the card does.
func (n *NTAG) Transmit(apdu []byte) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(apdu) < 4 {
		return wrongLength
	}
	switch {
	case string(apdu[:4]) == "\xff\xca\x00\x00": // the reader's own: the number
		return append(append([]byte{}, n.uid[:]...), done...)
	case string(apdu[:3]) == "\x00\xa4\x04": // select the application by its name
		if len(apdu) < 12 || string(apdu[5:12]) != "\xd2\x76\x00\x00\x85\x01\x01" {
			return notFound
		}
		n.file = nil
		return done
	case string(apdu[:3]) == "\x00\xa4\x00": // select a file: reading it anew makes a new message
		if len(apdu) < 7 || string(apdu[5:7]) != "\xe1\x04" {
			return notFound
		}
		n.file = n.ndef()
		return done
	case apdu[0] == 0x00 && apdu[1] == 0xB0:
		return n.read(int(apdu[2])<<8|int(apdu[3]), apdu[4:])
	}
	return unknown
}

// ndef is the file: its length, and a record with the address.
func (n *NTAG) ndef() []byte {
	picc, mac := n.message()
	address := n.url + "picc=" + hex.EncodeToString(picc[:]) + "&cmac=" + hex.EncodeToString(mac[:])
	record := append(append([]byte{}, uriRecord...), byte(len(address)+1), 'U', 0x00)
	record = append(record, address...)
	return append([]byte{byte(len(record) >> 8), byte(len(record))}, record...)
}

func (n *NTAG) read(from int, le []byte) []byte {
	if n.file == nil || from > len(n.file) || len(le) != 1 {
		return notFound
	}
	length := int(le[0])
	if length == 0 {
		length = 256
	}
	part := n.file[from:min(from+length, len(n.file))]
	return append(append([]byte{}, part...), done...)
}
