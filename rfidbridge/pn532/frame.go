package pn532

import (
	"bufio"
	"errors"
	"io"
)

// The first byte of what a frame carries says who speaks, and is another one in the chip's
// answer to what is no command.
const (
	fromHost  = 0xD4
	fromChip  = 0xD5
	noCommand = 0x7F
)

// Frames without content (6.2.1.3 and 6.2.1.4).
var (
	ack  = []byte{0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00}
	nack = []byte{0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00}
)

// mostFrame is how much a frame of the chip carries at most: who speaks, the command, and
// 262 bytes with a status.
const mostFrame = 265

var errDamaged = errors.New("what the reader says came damaged")

// appendFrame makes a frame of what begins with fromHost (6.2.1.1, and 6.2.1.2 of a long one).
func appendFrame(to, content []byte) []byte {
	to = append(to, 0x00, 0x00, 0xFF)
	if n := len(content); n < 0xFF {
		to = append(to, byte(n), -byte(n))
	} else {
		high, low := byte(n>>8), byte(n)
		to = append(to, 0xFF, 0xFF, high, low, -(high + low))
	}
	return append(append(to, content...), -sum(content), 0x00)
}

func sum(content []byte) (s byte) {
	for _, b := range content {
		s += b
	}
	return s
}

// readFrame reads up to the end of the next frame, and what it carries; nil: it is one
// without content. What is before its beginning is passed over.
func readFrame(r *bufio.Reader) ([]byte, error) {
	for last := byte(0xFF); ; {
		b, err := r.ReadByte()
		if err != nil {
			return nil, err
		}
		if begins := last == 0x00 && b == 0xFF; !begins {
			last = b
			continue
		}
		last = 0xFF
		length, is, err := readLength(r)
		if err != nil {
			return nil, err
		}
		if is {
			return readContent(r, length)
		}
	}
}

// readLength reads how long a frame is. Where that does not fit together it was none, and
// what was looked at is left: a frame may begin in it.
func readLength(r *bufio.Reader) (length int, is bool, err error) {
	head, err := r.Peek(2)
	if err != nil {
		return 0, false, err
	}
	long := head[0] == 0xFF && head[1] == 0xFF
	switch {
	case head[0] == 0x00 && head[1] == 0xFF, head[0] == 0xFF && head[1] == 0x00:
		_, err = r.Discard(2)
		return 0, true, err
	case !long && head[0] > 0 && head[0]+head[1] == 0:
		_, err = r.Discard(2)
		return int(head[0]), true, err
	case !long:
		return 0, false, nil
	}
	if head, err = r.Peek(5); err != nil {
		return 0, false, err
	}
	length = int(head[2])<<8 | int(head[3])
	if sum(head[2:]) != 0 || length == 0 || length > mostFrame {
		return 0, false, nil
	}
	_, err = r.Discard(5)
	return length, true, err
}

// readContent reads what a frame carries, and checks it.
func readContent(r io.Reader, length int) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	content := make([]byte, length+1)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, err
	}
	if sum(content) != 0 {
		return nil, errDamaged
	}
	return content[:length], nil
}
