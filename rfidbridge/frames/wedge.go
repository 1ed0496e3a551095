package frames

import (
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

// A keyboard's event is two times of the machine's word and eight bytes: type, code, value
// (linux/input.h). On 32 bits its times are of 32 bits, also where the system's are of 64.
const (
	wordSize  = strconv.IntSize / 8
	eventSize = 2*wordSize + 8

	keyEvent = 1
	pressed  = 1 // 0 is a release, 2 a repetition
)

// typed is how long after a key the next one comes, at most, where a reader types: nobody
// types a card's number by hand.
const typed = 80 * time.Millisecond

// keys are the characters that readers type, by their codes (linux/input-event-codes.h),
// whatever the keyboard's layout says.
var keys = map[uint16]byte{
	2: '1', 3: '2', 4: '3', 5: '4', 6: '5', 7: '6', 8: '7', 9: '8', 10: '9', 11: '0',
	79: '1', 80: '2', 81: '3', 75: '4', 76: '5', 77: '6', 71: '7', 72: '8', 73: '9', 82: '0', // the keypad
	30: 'A', 48: 'B', 46: 'C', 32: 'D', 18: 'E', 33: 'F',
	12: '-', 39: ':', 51: ',', 57: ' ',
}

// Keys that end a card's number, and the one that readers press for capitals.
const (
	keyTab, keyEnter, keypadEnter = 15, 28, 96
	keyLeftShift, keyRightShift   = 42, 54
)

var errByHand = errors.New("keys come too slowly for a reader")

// Wedge reads the events of a reader that plays a keyboard, which is grabbed, so that
// nobody else hears it. A number ends with Enter or Tab, in the reader's format. Keys that
// come slowly are a person's, and none. It returns as [Lines] does.
func Wedge(r io.Reader, format uid.Format, read Read) error {
	event, line := make([]byte, eventSize), make([]byte, 0, mostLine)
	var last time.Duration
	var spoilt error // why what was typed is no number
	for {
		if _, err := io.ReadFull(r, event); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF // unplugged in the middle of an event
			}
			return unlessEnd(err)
		}
		at, code, isPress := decodeEvent(event)
		if !isPress || code == keyLeftShift || code == keyRightShift {
			continue
		}
		if len(line) > 0 && (at-last > typed || at < last) {
			spoilt = errByHand
		}
		last = at
		switch character, known := keys[code]; {
		case code == keyEnter || code == keypadEnter || code == keyTab:
			if spoilt != nil {
				read(uid.UID{}, spoilt)
			} else if len(line) > 0 {
				read(format.Parse(string(line)))
			}
			line, spoilt = line[:0], nil
		case !known || len(line) == mostLine:
			spoilt = errLine
		default:
			line = append(line, character)
		}
	}
}

// decodeEvent returns when a key was pressed, and which.
func decodeEvent(b []byte) (at time.Duration, code uint16, isPress bool) {
	order := binary.NativeEndian
	number := func(at int) int64 {
		if wordSize == 8 {
			return int64(order.Uint64(b[at:]))
		}
		return int64(order.Uint32(b[at:]))
	}
	at = time.Duration(number(0))*time.Second + time.Duration(number(wordSize))*time.Microsecond
	rest := b[2*wordSize:]
	return at, order.Uint16(rest[2:]), order.Uint16(rest) == keyEvent && order.Uint32(rest[4:]) == pressed
}
