package virtual

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// ndefSize is how long the file is that phones read.
const ndefSize = 256

// ndefFile is that file, and what of it the card puts in each time that it is read.
type ndefFile struct {
	content  [ndefSize]byte
	mirrors  bool
	picc     int    // where the encrypted number and counter go
	input    int    // from where on the MAC signs
	mac      int    // where it goes
	counter  uint32 // of reads
	selected []byte // as it was when it was selected; nil: it was not
}

// sunFile is a file with a URL, behind which a SUN message is put.
func sunFile(url string) ndefFile {
	address := url + "picc=" + strings.Repeat("0", 32)
	f := ndefFile{mirrors: true}
	const before = 2 + 5 // the file's length, the record's head
	f.picc = before + len(address) - 32
	address += "&cmac="
	f.mac = before + len(address)
	f.input = f.mac
	address += strings.Repeat("0", 16)
	record := append([]byte{0xD1, 0x01, byte(len(address) + 1), 'U', 0x00}, address...)
	copy(f.content[:], binary.BigEndian.AppendUint16(nil, uint16(len(record))))
	copy(f.content[2:], record)
	return f
}

// shown is the file as a stranger sees it.
func (n *NTAG) shown() []byte {
	file := slices.Clone(n.ndef.content[:])
	if !n.ndef.mirrors || n.lock.channel != nil {
		return file
	}
	picc, _ := n.message(nil)
	putHex(file[n.ndef.picc:], picc[:])
	mac := n.signs(file[n.ndef.input:n.ndef.mac])
	putHex(file[n.ndef.mac:], mac[:])
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
	plain := append([]byte{0xC7}, n.uid[:]...)
	plain = append(plain, n.count()...)
	plain = append(plain, make([]byte, 5)...)
	draw(plain[11:])
	copy(picc[:], encrypt(n.lock.keys[1], noVector, plain))
	return picc, n.signs(input)
}

// count is the counter as the card writes it.
func (n *NTAG) count() []byte {
	return binary.LittleEndian.AppendUint32(nil, n.ndef.counter)[:3]
}

func (n *NTAG) signs(input []byte) card.MAC {
	vector := slices.Concat([]byte{0x3C, 0xC3, 0x00, 0x01, 0x00, 0x80}, n.uid[:], n.count())
	return signature(n.lock.keys[2].CMAC(vector), input)
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
