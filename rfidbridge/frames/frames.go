// Package frames reads what card readers write to a serial line, a pipe, a program's output
// or as a keyboard: the frames of 125 kHz modules, lines of text, and keys.
//
// It promises that noise, half a frame, a reader that is plugged in in the middle of one,
// and anything else that comes over a wire is skipped up to where the next frame begins,
// that nothing is collected without end, and that a frame with a wrong checksum is not
// believed. It does not know where the bytes come from, nor that a card which lies there is
// written again and again.
package frames

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

// Read is called with each card that was read, or with what could not be made of what a
// reader wrote, which never has a card's number in it.
type Read func(card uid.UID, err error)

var (
	errChecksum = errors.New("a frame has a wrong checksum")
	errFrame    = errors.New("a frame does not read")
	errLine     = errors.New("a line is longer than a card's number")
)

// The bytes around a frame of an RDM6300, and its digits: five bytes and their checksum.
const (
	stx, etx  = 0x02, 0x03
	rdmDigits = 12
)

// RDM6300 reads the frames of RDM6300, ID-12 and their likes until r ends or fails, and
// returns its error; nil at its end. A frame is STX, ten hexadecimal digits, two of their
// XOR, perhaps CR and LF, and ETX.
func RDM6300(r io.Reader, read Read) error {
	in, digits := bufio.NewReader(r), make([]byte, 0, rdmDigits)
	inside := false
	for {
		b, err := in.ReadByte()
		if err != nil {
			return unlessEnd(err)
		}
		switch {
		case b == stx: // also in the middle of a frame: that one was cut
			digits, inside = digits[:0], true
		case !inside || b == '\r' || b == '\n':
		case b == etx:
			read(decodeRDM(digits))
			inside = false
		case len(digits) == rdmDigits:
			read(uid.UID{}, errFrame)
			inside = false
		default:
			digits = append(digits, b)
		}
	}
}

// decodeRDM makes a card's number of a frame's digits.
func decodeRDM(digits []byte) (uid.UID, error) {
	var b [rdmDigits / 2]byte
	if len(digits) != rdmDigits {
		return uid.UID{}, errFrame
	}
	if _, err := hex.Decode(b[:], digits); err != nil {
		return uid.UID{}, errFrame
	}
	sum := byte(0)
	for _, part := range b {
		sum ^= part
	}
	if sum != 0 {
		return uid.UID{}, errChecksum
	}
	card, err := uid.New(b[:len(b)-1])
	if err != nil {
		return uid.UID{}, fmt.Errorf("%w: %w", errFrame, err)
	}
	return card, nil
}

// mostLine is longer than what any reader writes for a card.
const mostLine = 64

// Lines reads a card's number a line, in a reader's format, until r ends or fails, and
// returns its error; nil at its end. A line ends with CR, LF or both; empty ones are none.
// What comes after the last end is no line: the reader was unplugged.
func Lines(r io.Reader, format uid.Format, read Read) error {
	in, line := bufio.NewReader(r), make([]byte, 0, mostLine)
	tooLong := false
	for {
		b, err := in.ReadByte()
		switch {
		case err != nil:
			return unlessEnd(err)
		case b != '\r' && b != '\n':
			if tooLong = tooLong || len(line) == mostLine; !tooLong {
				line = append(line, b)
			}
			continue
		case tooLong:
			read(uid.UID{}, errLine)
		case len(line) > 0:
			read(format.Parse(string(line)))
		}
		line, tooLong = line[:0], false
	}
}

func unlessEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("reading from the reader: %w", err)
}
