package reader

import (
	"bytes"
	"errors"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pn532"
)

// Answers of a reader to the commands that it plays itself.
var (
	statusDone    = []byte{0x90, 0x00}
	statusFailed  = []byte{0x63, 0x00}
	statusUnknown = []byte{0x6A, 0x81}
)

// The frames of an Ultralight that read and write pages, and how many pages each has.
const (
	readFour   = 0x30
	writeOne   = 0xA2
	eachHas    = 16
	ultralight = 0x00 // SAK
)

// playReader carries commands to a card on a PN532, and plays those that a reader of PC/SC
// has for cards without commands of their own (part 3, 3.2.2), so that a card is read and
// written in one way whatever reader it lies on.
func playReader(board *pn532.Device, t *pn532.Target) card.Exchange {
	return func(command []byte) ([]byte, error) {
		switch {
		case bytes.Equal(command, getUID):
			return slices.Concat(t.UID, statusDone), nil
		case t.Commands():
			answer, err := board.Exchange(command)
			if err == nil && len(answer) < len(statusDone) {
				err = pn532.ErrCard // it was taken away in the middle
			}
			return answer, err
		case t.SAK == ultralight && len(command) >= 5:
			return playPages(board, command)
		}
		return statusUnknown, nil
	}
}

// playPages plays the commands for an Ultralight's pages, and the one for its own frames
// that readers of ACS have.
func playPages(board *pn532.Device, command []byte) ([]byte, error) {
	page, length, data := command[3], int(command[4]), command[5:]
	switch {
	case string(command[:3]) == "\xff\xb0\x00" && len(data) == 0:
		answer, err := board.Exchange([]byte{readFour, page})
		switch {
		case errors.Is(err, pn532.ErrCard) && page >= eachHas:
			return statusFailed, nil
		case err != nil:
			return nil, err
		}
		return slices.Concat(answer[:min(length, len(answer))], statusDone), nil
	case string(command[:3]) == "\xff\xd6\x00" && len(data) == length:
		_, err := board.Exchange(append([]byte{writeOne, page}, data...))
		if errors.Is(err, pn532.ErrCard) {
			return statusFailed, nil
		}
		return statusDone, err
	case string(command[:4]) == "\xff\x00\x00\x00" && len(data) == length && bytes.HasPrefix(data, []byte{0xD4, 0x42}):
		answer, err := board.Through(data[2:])
		return slices.Concat([]byte{0xD5, 0x43, 0x00}, answer, statusDone), err
	}
	return statusUnknown, nil
}
