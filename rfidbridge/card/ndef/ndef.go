// Package ndef reads the addresses that cards and stickers show to phones: messages in the
// NFC Data Exchange Format, and the address of a tap in them.
//
// It promises that no message makes it read beyond its end or collect without limit, and
// that what it returns is printable and short. It does not know whether an address is one
// of ours, nor whether what is in it is true: see package card.
package ndef

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Record is one record of a message, whole.
type Record struct {
	TNF     byte   // how Type is to be understood: 1 is well known, such as "U" for an address
	Type    string // at most 255 bytes
	Payload []byte // shares the memory of the message
}

// Limits on what a card may show.
const (
	mostRecords = 32
	mostURI     = 2048
)

var (
	errMessage = errors.New("the card's message does not read")
	errChunked = errors.New("the card's message is in pieces, which no card of ours writes")

	// ErrNoURI is a message without an address.
	ErrNoURI = errors.New("the card shows no address")
)

// Bits of a record's first byte, and the TNF in its last three.
const (
	messageBegin = 0x80
	messageEnd   = 0x40
	chunk        = 0x20
	short        = 0x10
	hasID        = 0x08
	tnfMask      = 0x07

	wellKnown = 1
	unchanged = 6
)

// Parse reads a message (NFC Forum, NDEF 1.0). What stands behind its end is left alone.
func Parse(message []byte) (records []Record, err error) {
	for len(records) < mostRecords {
		if len(message) < 3 {
			return nil, errMessage
		}
		flags, typeSize := message[0], int(message[1])
		switch {
		case (flags&messageBegin != 0) != (len(records) == 0):
			return nil, errMessage
		case flags&chunk != 0 || flags&tnfMask == unchanged:
			return nil, errChunked
		}
		size, rest, err := payloadSize(flags, message[2:])
		if err != nil {
			return nil, err
		}
		idSize := 0
		if flags&hasID != 0 {
			if len(rest) == 0 {
				return nil, errMessage
			}
			idSize, rest = int(rest[0]), rest[1:]
		}
		before := typeSize + idSize
		if before > len(rest) || size > uint32(len(rest)-before) {
			return nil, errMessage
		}
		end := before + int(size)
		records = append(records, Record{TNF: flags & tnfMask, Type: string(rest[:typeSize]), Payload: rest[before:end]})
		if flags&messageEnd != 0 {
			return records, nil
		}
		message = rest[end:]
	}
	return nil, fmt.Errorf("%w: it has more than %d records", errMessage, mostRecords)
}

// payloadSize takes the length of a record's payload off, one byte or four.
func payloadSize(flags byte, rest []byte) (size uint32, behind []byte, err error) {
	if flags&short != 0 {
		return uint32(rest[0]), rest[1:], nil
	}
	if len(rest) < 4 {
		return 0, nil, errMessage
	}
	return binary.BigEndian.Uint32(rest), rest[4:], nil
}

// prefixes are what an address record's first byte stands for (NFC Forum, URI RTD 1.0).
var prefixes = [...]string{
	"", "http://www.", "https://www.", "http://", "https://", "tel:", "mailto:", "ftp://anonymous:anonymous@", "ftp://ftp.",
	"ftps://", "sftp://", "smb://", "nfs://", "ftp://", "dav://", "news:", "telnet://", "imap:", "rtsp://", "urn:", "pop:",
	"sip:", "sips:", "tftp:", "btspp://", "btl2cap://", "btgoep://", "tcpobex://", "irdaobex://", "file://", "urn:epc:id:",
	"urn:epc:tag:", "urn:epc:pat:", "urn:epc:raw:", "urn:epc:", "urn:nfc:",
}

// URI is the first address of a message.
func URI(message []byte) (string, error) {
	records, err := Parse(message)
	if err != nil {
		return "", err
	}
	for _, r := range records {
		if r.TNF != wellKnown || r.Type != "U" {
			continue
		}
		if len(r.Payload) == 0 || int(r.Payload[0]) >= len(prefixes) {
			return "", errMessage
		}
		uri := prefixes[r.Payload[0]] + string(r.Payload[1:])
		if len(uri) > mostURI || !printable(uri) {
			return "", errMessage
		}
		return uri, nil
	}
	return "", ErrNoURI
}

// printable reports whether an address is written as addresses are: in ASCII, without
// blanks.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// File is the message in the file of a type 4 card, which begins with its length in two
// bytes.
func File(file []byte) ([]byte, error) {
	if len(file) < 2 {
		return nil, errMessage
	}
	n := int(binary.BigEndian.Uint16(file))
	if n > len(file)-2 {
		return nil, errMessage
	}
	return file[2 : 2+n], nil
}

// The types of the blocks in the memory of a type 2 card (NFC Forum, type 2 tag, 2.3).
const (
	nullBlock    = 0x00
	messageBlock = 0x03

	// Terminator ends the blocks.
	Terminator = 0xFE
)

// Area is the first message in the memory of a type 2 card, from its first user page on.
func Area(area []byte) ([]byte, error) {
	for len(area) >= 2 && area[0] != Terminator {
		if area[0] == nullBlock {
			area = area[1:]
			continue
		}
		size, rest := int(area[1]), area[2:]
		if size == 0xFF {
			if len(rest) < 2 {
				return nil, errMessage
			}
			size, rest = int(binary.BigEndian.Uint16(rest)), rest[2:]
		}
		if size > len(rest) {
			return nil, errMessage
		}
		if area[0] == messageBlock {
			return rest[:size], nil
		}
		area = rest[size:]
	}
	return nil, ErrNoURI
}
