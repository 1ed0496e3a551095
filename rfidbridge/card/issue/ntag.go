package issue

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/ndef"
)

const ntagKeys = 5

// ntag is how far an NTAG 424 DNA is.
type ntag struct {
	uid      card.UID // zeros: it hides it
	versions []byte
	settings []byte // of the file that it shows to phones
	file     []byte // as a stranger sees it
}

// readNTAG asks, without any key.
func (l link) readNTAG() (n ntag, err error) {
	if err := l.selectTag(); err != nil {
		return n, err
	}
	version, err := l.version()
	if err != nil {
		return n, err
	}
	if version[1] != chipNTAG {
		return n, ErrKind
	}
	n.uid = uidOf(version)
	if n.versions, err = l.versions(ntagKeys); err != nil {
		return n, err
	}
	if n.settings, err = l.must(nativeDone, 0x90, 0xF5, 0x00, 0x00, 0x01, ntagFile, 0x00); err != nil {
		return n, err
	}
	n.file, err = l.readFile()
	return n, err
}

// selectTag selects the application of tags. What was authenticated or begun before is
// forgotten with it.
func (l link) selectTag() error {
	_, status, err := l.ask(0x00, 0xA4, 0x04, 0x00, 0x07, 0xD2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01, 0x00)
	if err == nil && status != isoDone {
		err = ErrKind
	}
	return err
}

func (l link) personaliseNTAG(c Card) error {
	want, at, err := sunFile(c.URL)
	if err != nil {
		return err
	}
	n, err := l.readNTAG()
	if err != nil {
		return err
	}
	if err := known(n.versions); err != nil {
		return err
	}
	written := at.shows(n.file, want) && bytes.Equal(n.settings, at.settings())
	wrong := ErrForeign // what it is that shows something else
	if !written || slices.Contains(n.versions, 0) {
		wrong = errCheck
		s, err := l.open(n.versions[0], c)
		if err != nil {
			return err
		}
		if !written {
			if err := s.writeFile(want); err != nil {
				return err
			}
			if err := s.seal(changeFileSettings, []byte{ntagFile}, at.change()); err != nil {
				return err
			}
		}
		if err := l.replace(s, n.versions, c.Keys.Keys[:], false); err != nil {
			return err
		}
	}
	return l.checkNTAG(c, wrong)
}

// known returns ErrForeign for versions of keys that are neither the factory's nor ours.
func known(versions []byte) error {
	for _, v := range versions {
		if _, err := keyOf(v, card.Key{}); err != nil {
			return err
		}
	}
	return nil
}

// checkNTAG has the card do what it is for: it shows a message that it has signed, and
// proves that it has the paywall's key. wrong is what one is that does not.
func (l link) checkNTAG(c Card, wrong error) error {
	if err := l.selectTag(); err != nil {
		return err
	}
	file, err := l.readFile()
	if err != nil {
		return err
	}
	if err := checkSUN(c, file); err != nil {
		return fmt.Errorf("%w: %w", wrong, err)
	}
	return l.prove(c)
}

func (l link) prove(c Card) error {
	return foreign(card.Prove(c.Kind, card.Online, card.Online.Key(c.Keys), l.random, l.exchange))
}

// checkSUN reads the message of a file.
func checkSUN(c Card, file []byte) error {
	message, err := ndef.File(file)
	if err != nil {
		return err
	}
	address, err := ndef.URI(message)
	if err != nil {
		return err
	}
	picc, mac, err := sunOf(address)
	if err != nil {
		return err
	}
	sun, err := card.OpenSUN(c.Keys.Keys[1], picc)
	if err != nil {
		return err
	}
	if sun.UID != c.UID {
		return ErrOther
	}
	return sun.Verify(c.Keys.Keys[2], nil, mac)
}

func (l link) resetNTAG(c Card) error {
	n, err := l.readNTAG()
	if err != nil {
		return err
	}
	if err := known(n.versions); err != nil {
		return err
	}
	wiped := bytes.Equal(n.settings, factorySettings) && !slices.ContainsFunc(n.file, func(b byte) bool { return b != 0 })
	if wiped && bytes.Equal(n.versions, make([]byte, ntagKeys)) {
		return nil
	}
	s, err := l.open(n.versions[0], c)
	if err != nil {
		return err
	}
	if !wiped {
		if err := s.writeFile(make([]byte, ntagSize)); err != nil {
			return err
		}
		if err := s.seal(changeFileSettings, []byte{ntagFile}, []byte{0x00, factorySettings[2], factorySettings[3]}); err != nil {
			return err
		}
	}
	return l.replace(s, n.versions, c.Keys.Keys[:], true)
}
