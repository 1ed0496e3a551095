package issue

import (
	"errors"
	"fmt"
	"io"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// link is the way to a card.
type link struct {
	exchange card.Exchange
	random   io.Reader
}

// Status words.
const (
	isoDone    = 0x9000
	nativeDone = 0x9100
	nativeMore = 0x91AF
	noSuchApp  = 0x91A0
)

// ask sends a command, and returns the answer's data and status.
func (l link) ask(command ...byte) (data []byte, status int, err error) {
	answer, err := l.exchange(command)
	if err != nil {
		return nil, 0, err
	}
	n := len(answer) - 2
	if n < 0 {
		return nil, 0, errAnswer
	}
	return answer[:n], int(answer[n])<<8 | int(answer[n+1]), nil
}

// must is a command that is to end with a status.
func (l link) must(want int, command ...byte) ([]byte, error) {
	data, status, err := l.ask(command...)
	if err == nil && status != want {
		err = fmt.Errorf("%w: command %02X, status %04X", errRefused, command[1], status)
	}
	return data, err
}

// version asks which chip it is: the data of the three frames behind each other.
func (l link) version() (all []byte, err error) {
	const frames = 3
	command := byte(0x60)
	for i := range frames {
		want := nativeMore
		if i == frames-1 {
			want = nativeDone
		}
		part, err := l.must(want, 0x90, command, 0x00, 0x00, 0x00)
		if err != nil {
			return nil, err
		}
		all, command = append(all, part...), 0xAF
	}
	if len(all) < 28 {
		return nil, errAnswer
	}
	return all, nil
}

// uidOf is the number in a version.
func uidOf(version []byte) card.UID { return card.UID(version[14:21]) }

// The chips by the second byte of their version.
const (
	chipDESFire = 0x01
	chipNTAG    = 0x04
)

// versions asks for the versions of the first keys, which the card tells anybody.
func (l link) versions(count int) ([]byte, error) {
	versions := make([]byte, count)
	for i := range versions {
		one, err := l.must(nativeDone, 0x90, 0x64, 0x00, 0x00, 0x01, byte(i), 0x00)
		if err != nil {
			return nil, err
		}
		if len(one) != 1 {
			return nil, errAnswer
		}
		versions[i] = one[0]
	}
	return versions, nil
}

// keyOf is the key that a card has in a slot, by its version: the factory's or ours.
func keyOf(version byte, ours card.Key) (card.Key, error) {
	switch version {
	case 0:
		return card.Key{}, nil
	case KeyVersion:
		return ours, nil
	}
	return card.Key{}, fmt.Errorf("%w: a key has version %d", ErrForeign, version)
}

// open opens a session with key 0 and makes sure whose it is. It tries once.
func (l link) open(version byte, c Card) (session, error) {
	key, err := keyOf(version, c.Keys.Keys[0])
	if err != nil {
		return session{}, err
	}
	opened, err := card.Open(0, key, l.random, l.exchange)
	if err != nil {
		return session{}, foreign(err)
	}
	s := session{opened, l.exchange}
	command, err := s.AskUID()
	if err != nil {
		return s, err
	}
	answer, err := l.exchange(command)
	if err != nil {
		return s, err
	}
	uid, err := s.UID(answer)
	if err == nil && uid != c.UID {
		err = ErrOther
	}
	return s, err
}

// foreign is an error of an authentication: a card that takes no key of ours is somebody
// else's.
func foreign(err error) error {
	if errors.Is(err, card.ErrRefused) || errors.Is(err, card.ErrForged) {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	return err
}

// session is a session with key 0.
type session struct {
	*card.Session
	exchange card.Exchange
}

// seal carries out a command in full mode.
func (s session) seal(command byte, header, data []byte) error {
	apdu, err := s.Seal(command, header, data)
	return s.checked(apdu, err)
}

func (s session) checked(apdu []byte, err error) error {
	if err != nil {
		return err
	}
	answer, err := s.exchange(apdu)
	if err != nil {
		return err
	}
	_, err = s.Check(answer)
	return err
}

// changer is a session with key 0 over which keys can be changed.
type changer interface {
	ChangeKey(number byte, old, fresh card.Key, version byte) ([]byte, error)
	Check(answer []byte) ([]byte, error)
}

// replace puts keys in the place of those that have another version than they are to have:
// that of the session, number 0, last, because what is left is done with it.
func (l link) replace(s changer, versions []byte, ours []card.Key, blank bool) error {
	target := byte(KeyVersion)
	if blank {
		target = 0
	}
	for i := 1; i <= len(ours); i++ {
		number := i % len(ours) // 1, 2, …, 0
		if versions[number] == target {
			continue
		}
		old, err := keyOf(versions[number], ours[number])
		if err != nil {
			return err
		}
		fresh := ours[number]
		if blank {
			fresh = card.Key{}
		}
		apdu, err := s.ChangeKey(byte(number), old, fresh, target)
		if err != nil {
			return err
		}
		answer, err := l.exchange(apdu)
		if err != nil {
			return err
		}
		if _, err := s.Check(answer); err != nil {
			return err
		}
	}
	return nil
}
