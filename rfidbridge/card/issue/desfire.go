package issue

import (
	"fmt"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// The application of a DESFire: three keys of AES, which key 0 alone can change; anybody may
// ask what is there.
const (
	desfireKeys     = 3
	desfireSettings = 0x0B
	desfireAES      = 0x80

	deleteApplication = 0xDA
)

// firstGeneration is the major version of a DESFire EV1, which knows no session of the
// later ones.
const firstGeneration = 0x01

// desfireSlots are the keys of the application, in its order.
func desfireSlots(keys card.BoltKeys) []card.Key {
	return []card.Key{keys.Keys[0], card.Online.Key(keys), card.Offline.Key(keys)}
}

// desfire is how far a DESFire is.
type desfire struct {
	uid   card.UID // zeros: it hides it
	first bool     // it is of the first generation
	there bool     // the application is there, and selected
}

// readDESFire makes sure which chip it is, and selects the application.
func (l link) readDESFire() (d desfire, err error) {
	if err := l.selectChip(); err != nil {
		return d, err
	}
	version, err := l.version()
	if err != nil {
		return d, err
	}
	if version[1] != chipDESFire {
		return d, ErrKind
	}
	d.uid, d.first = uidOf(version), version[3] == firstGeneration
	_, status, err := l.ask(card.SelectApplication()...)
	if d.there = status == nativeDone; err == nil && !d.there && status != noSuchApp {
		err = fmt.Errorf("%w: SelectApplication, status %04X", errRefused, status)
	}
	return d, err
}

// selectChip selects the chip's own level. What was authenticated or begun before is
// forgotten with it.
func (l link) selectChip() error {
	_, status, err := l.ask(0x90, 0x5A, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00)
	if err == nil && status != nativeDone {
		err = ErrKind
	}
	return err
}

func (l link) personaliseDESFire(c Card) error {
	d, err := l.readDESFire()
	if err != nil {
		return err
	}
	if !d.there {
		if err := l.createApplication(); err != nil {
			return err
		}
	}
	versions, err := l.versions(desfireKeys)
	if err != nil {
		return err
	}
	if err := known(versions); err != nil {
		return err
	}
	if slices.Contains(versions, 0) {
		s, err := l.openDESFire(d, versions[0], c)
		if err != nil {
			return err
		}
		if err := l.replace(s, versions, desfireSlots(c.Keys), false); err != nil {
			return err
		}
	}
	return l.prove(c)
}

// openDESFire opens a session with key 0, once. A chip of the first generation cannot say
// within it who it is: what it has said before counts.
func (l link) openDESFire(d desfire, version byte, c Card) (changer, error) {
	if !d.first {
		return l.open(version, c)
	}
	if d.uid != c.UID {
		return nil, ErrOther
	}
	key, err := keyOf(version, c.Keys.Keys[0])
	if err != nil {
		return nil, err
	}
	s, err := card.OpenEV1(0, key, l.random, l.exchange)
	return s, foreign(err)
}

// createApplication makes the application on the chip's own level, and selects it.
func (l link) createApplication() error {
	name := card.Application
	if err := l.selectChip(); err != nil {
		return err
	}
	_, status, err := l.ask(0x90, 0xCA, 0x00, 0x00, 0x05, name[0], name[1], name[2], desfireSettings, desfireAES|desfireKeys, 0x00)
	if err != nil {
		return err
	}
	if status != nativeDone {
		return fmt.Errorf("%w: it lets nobody make an application, status %04X", ErrForeign, status)
	}
	_, err = l.must(nativeDone, card.SelectApplication()...)
	return err
}

// resetDESFire deletes the application, and its keys with it. The chip gives the memory back
// when its owner formats it.
func (l link) resetDESFire(c Card) error {
	d, err := l.readDESFire()
	if err != nil || !d.there {
		return err
	}
	versions, err := l.versions(1)
	if err != nil {
		return err
	}
	s, err := l.openDESFire(d, versions[0], c)
	if err != nil {
		return err
	}
	apdu := append([]byte{0x90, deleteApplication, 0x00, 0x00, byte(len(card.Application))}, append(card.Application[:], 0x00)...)
	if later, is := s.(session); is {
		if apdu, err = later.Sign(deleteApplication, card.Application[:], nil); err != nil {
			return err
		}
	}
	if _, err := l.must(nativeDone, apdu...); err != nil {
		return err // the session is over with its application: what is left is to see that it is gone
	}
	if d, err = l.readDESFire(); err == nil && d.there {
		err = errRefused
	}
	return err
}
