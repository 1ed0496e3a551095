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

// firstGeneration is the major version of a DESFire EV1.
const firstGeneration = 0x01

// errGeneration is a chip whose messages cannot be protected as those of later ones.
var errGeneration = fmt.Errorf("%w: it is a DESFire EV1; the later ones can", ErrKind)

// desfireSlots are the keys of the application, in its order.
func desfireSlots(keys card.BoltKeys) []card.Key {
	return []card.Key{keys.Keys[0], card.Online.Key(keys), card.Offline.Key(keys)}
}

// readDESFire makes sure which chip it is, selects the application, and says whether it is
// there.
func (l link) readDESFire() (uid card.UID, there bool, err error) {
	if err := l.selectChip(); err != nil {
		return uid, false, err
	}
	version, err := l.version()
	switch {
	case err != nil:
		return uid, false, err
	case version[1] != chipDESFire:
		return uid, false, ErrKind
	case version[3] == firstGeneration:
		return uid, false, errGeneration
	}
	uid = uidOf(version)
	_, status, err := l.ask(card.SelectApplication()...)
	switch {
	case err != nil:
		return uid, false, err
	case status == nativeDone:
		return uid, true, nil
	case status == noSuchApp:
		return uid, false, nil
	}
	return uid, false, fmt.Errorf("%w: SelectApplication, status %04X", errRefused, status)
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
	_, there, err := l.readDESFire()
	if err != nil {
		return err
	}
	if !there {
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
		s, err := l.open(versions[0], c)
		if err != nil {
			return err
		}
		if err := s.replace(versions, desfireSlots(c.Keys), false); err != nil {
			return err
		}
	}
	return l.prove(c)
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
	_, there, err := l.readDESFire()
	if err != nil || !there {
		return err
	}
	versions, err := l.versions(1)
	if err != nil {
		return err
	}
	s, err := l.open(versions[0], c)
	if err != nil {
		return err
	}
	apdu, err := s.Sign(deleteApplication, card.Application[:], nil)
	if err != nil {
		return err
	}
	if _, err := l.must(nativeDone, apdu...); err != nil {
		return err // the session is over with its application: what is left is to see that it is gone
	}
	if _, there, err = l.readDESFire(); err == nil && there {
		err = errRefused
	}
	return err
}
