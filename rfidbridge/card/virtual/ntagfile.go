package virtual

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

const (
	ndefSize   = 256  // how long the file is that phones read
	ndefNumber = 0x02 // which it is in native commands

	free = 0x0E // an access right that needs no key
)

// ndefFile is that file, and what of it the card puts in each time that it is read.
type ndefFile struct {
	content  [ndefSize]byte
	rights   [2]byte // read and write or change settings; read, write: half a byte each
	mirrors  bool    // the SUN message is put in
	sun      sunSettings
	counter  uint32 // of reads
	selected []byte // as it was when it was selected; nil: it was not
}

// sunSettings are where the message goes, and the keys that it is made with.
type sunSettings struct {
	options         byte
	meta, file, ask byte // numbers of keys
	picc            int  // where the encrypted number and counter go
	input           int  // from where on the MAC signs
	mac             int  // where it goes
}

const (
	piccLength = 32 // characters
	macLength  = 16

	sunOfBoth = 0xC1 // number and counter, in ASCII
)

// sunFile is a file with a URL, behind which a SUN message is put.
func sunFile(url string) ndefFile {
	const before = 2 + 5 // the file's length, the record's head
	f := ndefFile{rights: [2]byte{0x00, 0xE0}, mirrors: true, sun: sunSettings{options: sunOfBoth, meta: 1, file: 2, ask: 0xF}}
	address := url + "picc="
	f.sun.picc = before + len(address)
	address += strings.Repeat("0", piccLength) + "&cmac="
	f.sun.mac = before + len(address)
	f.sun.input = f.sun.mac
	address += strings.Repeat("0", macLength)
	record := append([]byte{0xD1, 0x01, byte(len(address) + 1), 'U', 0x00}, address...)
	copy(f.content[:], binary.BigEndian.AppendUint16(nil, uint16(len(record))))
	copy(f.content[2:], record)
	return f
}

// may reports whether a right is free, or that of the key of the session.
func (n *NTAG) may(right byte) bool { return right == free || n.lock.inside(right) }

// shown is the file as a stranger sees it.
func (n *NTAG) shown() []byte {
	file := slices.Clone(n.ndef.content[:])
	if !n.ndef.mirrors || n.lock.channel != nil {
		return file
	}
	picc, _ := n.message(nil)
	putHex(file[n.ndef.sun.picc:], picc[:])
	mac := n.signs(file[n.ndef.sun.input:n.ndef.sun.mac])
	putHex(file[n.ndef.sun.mac:], mac[:])
	return file
}

const digits = "0123456789ABCDEF"

func putHex(to, bytes []byte) {
	for i, b := range bytes {
		to[2*i], to[2*i+1] = digits[b>>4], digits[b&0x0F]
	}
}

// message is the next SUN message, whose MAC signs an input (AN12196, 3.4).
func (n *NTAG) message(input []byte) (picc [16]byte, mac card.MAC) {
	n.ndef.counter++
	text := append([]byte{0xC7}, n.uid[:]...)
	text = append(text, n.count()...)
	text = append(text, make([]byte, 5)...)
	draw(text[11:])
	copy(picc[:], encrypt(n.lock.keys[n.ndef.sun.meta], noVector, text))
	return picc, n.signs(input)
}

// count is the counter as the card writes it.
func (n *NTAG) count() []byte {
	return binary.LittleEndian.AppendUint32(nil, n.ndef.counter)[:3]
}

func (n *NTAG) signs(input []byte) card.MAC {
	vector := slices.Concat([]byte{0x3C, 0xC3, 0x00, 0x01, 0x00, 0x80}, n.uid[:], n.count())
	return signature(n.lock.keys[n.ndef.sun.file].CMAC(vector), input)
}

// read is READ BINARY of the selected file.
func (f *ndefFile) read(from int, le []byte) []byte {
	if f.selected == nil || from > len(f.selected) || len(le) != 1 {
		return notFound
	}
	length := int(le[0])
	if length == 0 {
		length = 256
	}
	return slices.Concat(f.selected[from:min(from+length, len(f.selected))], done)
}

// write is WriteData: a file, from where, how much.
func (n *NTAG) write(head, body []byte) ([]byte, status) {
	from, length := word(head[1:]), word(head[4:])
	switch {
	case head[0] != ndefNumber:
		return nil, statusNoFile
	case !n.may(n.ndef.rights[1]&0x0F) && !n.may(n.ndef.rights[0]>>4):
		return nil, statusPermission
	case length != len(body):
		return nil, statusLength
	case from+length > ndefSize:
		return nil, statusBoundary
	}
	copy(n.ndef.content[from:], body)
	return nil, statusDone
}

// word is a number of three bytes, the lowest first.
func word(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func words(numbers ...int) (all []byte) {
	for _, n := range numbers {
		all = append(all, byte(n), byte(n>>8), byte(n>>16))
	}
	return all
}
