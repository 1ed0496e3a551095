package card

import (
	"fmt"
	"slices"
)

// Status words of the cards' native commands (ISO 7816-4 framing): 91 and the card's own.
const (
	statusDone = 0x9100
	statusMore = 0x91AF
)

// mostData is what one short command carries.
const mostData = 255

// wrap makes an APDU of a native command.
func wrap(command byte, data ...[]byte) ([]byte, error) {
	all := slices.Concat(data...)
	if len(all) > mostData {
		return nil, errTooLong
	}
	apdu := []byte{0x90, command, 0x00, 0x00}
	if len(all) > 0 {
		apdu = append(append(apdu, byte(len(all))), all...)
	}
	return append(apdu, 0x00), nil
}

// unwrap returns the data of an answer with a status. A card that is torn away may answer
// with less than a status.
func unwrap(answer []byte, status int) ([]byte, error) {
	n := len(answer) - 2
	if n < 0 {
		return nil, errAnswer
	}
	if got := int(answer[n])<<8 | int(answer[n+1]); got != status {
		return nil, fmt.Errorf("%w: status %04X", ErrRefused, got)
	}
	return answer[:n], nil
}

// rotated is a challenge with its first byte last.
func rotated(b []byte) []byte { return append(slices.Clone(b[1:]), b[0]) }
