package pn532

import (
	"errors"
	"fmt"
	"time"
)

// Target is a card that was found, and is active.
type Target struct {
	UID []byte
	SAK byte // what it can (ISO/IEC 14443-3, 6.4.3.4)
}

// Commands reports whether the card takes the commands of ISO/IEC 14443-4.
func (t *Target) Commands() bool { return t.SAK&0x20 != 0 }

// the first and only one that is looked for.
const target = 0x01

var (
	// ErrCard is a card that does not answer: it was taken away, or refuses.
	ErrCard = errors.New("the card does not answer")

	errAnswer = errors.New("the reader answers what it should not")
	errLong   = errors.New("a card's command or answer is longer than the reader carries")
)

// settled is how long a card needs to forget everything without a field, and to be awake
// with one (ISO/IEC 14443-3, 5).
const settled = 5 * time.Millisecond

// Find looks for a card, and makes it active anew: it is switched off before, so that one
// which lies there already is found too, and forgets what it was told. nil: there is none.
func (d *Device) Find() (*Target, error) {
	const field, off, on, one, typeA106 = 0x01, 0x00, 0x01, 0x01, 0x00
	for _, state := range []byte{off, on} {
		if _, err := d.ask(rfConfiguration, field, state); err != nil {
			return nil, err
		}
		time.Sleep(settled)
	}
	found, err := d.ask(inListPassiveTarget, one, typeA106)
	if err != nil {
		return nil, err
	}
	return parseTarget(found)
}

// parseTarget reads a list of at most one: number, SENS_RES of two bytes, SEL_RES, the
// length of the UID, the UID, and an answer to select that is not needed.
func parseTarget(list []byte) (*Target, error) {
	const uid = 6
	switch {
	case len(list) == 0 || list[0] > 1:
		return nil, errAnswer
	case list[0] == 0:
		return nil, nil
	case len(list) < uid || list[1] != target || len(list) < uid+int(list[5]):
		return nil, errAnswer
	}
	return &Target{SAK: list[4], UID: list[uid : uid+int(list[5])]}, nil
}

// Present reports whether a card that takes commands still lies there, as active as it was.
func (d *Device) Present() (bool, error) {
	const presence = 0x06
	status, err := d.ask(diagnose, presence)
	if err != nil {
		return false, err
	}
	return len(status) == 1 && status[0] == 0, nil
}

// Exchange carries a command to a card and its answer back. What the chip says of the card
// is ErrCard.
func (d *Device) Exchange(command []byte) (answer []byte, err error) {
	const most, more = 262, 0x40
	if len(command) > most {
		return nil, errLong
	}
	for range 2 { // a frame does not hold the longest answer of all with its status
		part, err := d.carry(append([]byte{inDataExchange, target}, command...)...)
		if err != nil {
			return nil, err
		}
		status, data, err := cutStatus(part)
		if err != nil {
			return nil, err
		}
		answer = append(answer, data...)
		if status&more == 0 {
			return answer, nil
		}
		command = nil
	}
	return nil, errLong
}

// Through carries a frame to a card as it is, and its answer back.
func (d *Device) Through(frame []byte) ([]byte, error) {
	const most = 64
	if len(frame) > most {
		return nil, errLong
	}
	part, err := d.carry(append([]byte{inCommunicateThru}, frame...)...)
	if err != nil {
		return nil, err
	}
	_, data, err := cutStatus(part)
	return data, err
}

// cutStatus takes off what the chip says of an exchange: six bits that are no error where
// they are zero (7.1).
func cutStatus(part []byte) (status byte, data []byte, err error) {
	if len(part) == 0 {
		return 0, nil, errAnswer
	}
	if failure := part[0] & 0x3F; failure != 0 {
		return 0, nil, fmt.Errorf("%w: %#02x", ErrCard, failure)
	}
	return part[0], part[1:], nil
}
