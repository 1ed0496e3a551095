package card

import (
	"errors"
	"fmt"
	"io"
)

// ErrForeign is a card without the application of this site: nothing was tried on it.
var ErrForeign = errors.New("the card has no application of this site")

// illegalCommand is what a DESFire EV1 answers to a command of later chips.
const illegalCommand = 0x911C

var selectTag = []byte{0x00, 0xA4, 0x04, 0x00, 0x07, 0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01, 0x00}

// Prove has the card prove that it has a slot's key, by a challenge that is drawn from
// random and good for this time alone. It tries once: a card counts the authentications
// that fail, so that the key has to be known to be this card's before.
//
// ErrForged: it has not. ErrForeign: it is not one of this site's. ErrRefused: it does not
// do its part. An error of the exchange is returned as it is.
func Prove(kind Kind, slot Slot, key Key, random io.Reader, exchange Exchange) error {
	number := slot.number(kind)
	switch kind {
	case KindNTAG424:
		answer, err := exchange(selectTag)
		if err != nil {
			return err
		}
		if len(answer) < 2 || answer[len(answer)-2] != 0x90 || answer[len(answer)-1] != 0x00 {
			return ErrForeign
		}
		return proveEV2(number, key, random, exchange)
	case KindDESFire:
		answer, err := exchange(SelectApplication())
		if err != nil {
			return err
		}
		if _, err := unwrap(answer, statusDone); err != nil {
			return ErrForeign
		}
		err = proveEV2(number, key, random, exchange)
		if errors.Is(err, errIllegal) {
			a := NewEV1(number, key)
			a.random = random
			return prove(a, exchange)
		}
		return err
	case KindUltralight:
		a := NewUltralight(number, key)
		a.random = random
		return prove(a, exchange)
	}
	return fmt.Errorf("%w: there is no kind of card %q", ErrForeign, string(kind))
}

// errIllegal is a card that does not know the command.
var errIllegal = fmt.Errorf("%w: it does not know the command", ErrRefused)

func proveEV2(number byte, key Key, random io.Reader, exchange Exchange) error {
	a := NewEV2(number, key)
	a.random = random
	return prove(a, func(command []byte) ([]byte, error) {
		answer, err := exchange(command)
		if err == nil && len(answer) == 2 && int(answer[0])<<8|int(answer[1]) == illegalCommand {
			err = errIllegal
		}
		return answer, err
	})
}

// prove carries an authentication out, and leaves it at that.
func prove[T any](a prover[T], exchange Exchange) error {
	_, err := run(a, exchange)
	return err
}
