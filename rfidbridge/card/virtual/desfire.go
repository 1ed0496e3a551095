package virtual

import (
	"slices"
	"sync"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// Generation is which of the DESFire chips a card is, as its version says.
type Generation byte

// The generations: the first knows AuthenticateAES alone.
const (
	EV1 Generation = 0x01
	EV2 Generation = 0x12
	EV3 Generation = 0x33
)

// DESFire is a MIFARE DESFire whose own level is as from the factory: anybody may make an
// application, and each has keys of its own. It is safe for concurrent use.
type DESFire struct {
	uid        card.UID
	generation Generation

	mu           sync.Mutex
	applications map[string]*lock
	selected     string // "": the chip's own level
	rest         frames
	failures     int // of applications that are gone
}

// NewDESFire is a card without an application.
func NewDESFire(uid card.UID, generation Generation) *DESFire {
	return &DESFire{uid: uid, generation: generation, applications: map[string]*lock{}}
}

// UID is the card's number.
func (d *DESFire) UID() card.UID { return d.uid }

// Install puts an application on the card, with AES keys of version 1.
func (d *DESFire) Install(application [3]byte, keys ...card.Key) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.applications[string(application[:])] = newLock(slices.Clone(keys), 1)
}

// Failures is how many authentications have failed, ever.
func (d *DESFire) Failures() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.failures
	for _, l := range d.applications {
		n += l.failures
	}
	return n
}

// Reset is what happens to the card when it loses the reader's field.
func (d *DESFire) Reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.enter("")
}

// enter selects an application, and forgets who was authenticated.
func (d *DESFire) enter(application string) {
	d.selected, d.rest = application, nil
	for _, l := range d.applications {
		l.shut()
	}
}

// Transmit answers a command as the card does.
func (d *DESFire) Transmit(apdu []byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	data, ok := dataOf(apdu)
	switch {
	case len(apdu) < 4:
		return wrongLength
	case string(apdu[:4]) == "\xff\xca\x00\x00":
		return slices.Concat(d.uid[:], done)
	case apdu[0] == 0x90 && !ok:
		d.enter(d.selected)
		return statusLength.with(nil)
	case apdu[0] == 0x90:
		return d.native(apdu[1], data)
	case string(apdu[:3]) == "\x00\xa4\x04":
		return notFound // it has no file that phones read
	}
	return unknown
}

// native answers a native command.
func (d *DESFire) native(command byte, data []byte) []byte {
	rest := d.rest
	d.rest = nil
	l := d.applications[d.selected]
	switch {
	case command == getVersion && (l == nil || l.channel == nil):
		d.rest = d.version()
		return d.rest.next()
	case command == additionalFrame && rest != nil:
		d.rest = rest
		return d.rest.next()
	case command == selectApplication:
		return d.choose(data)
	case command == createApplication:
		return d.create(data)
	case l == nil:
		return statusPermission.with(nil) // the chip's own key is none of AES
	case command == authenticateAES:
		return l.askAES(data)
	case d.generation == EV1 && (command == authenticateFirst || command == authenticateNonFirst):
		l.shut()
		return statusIllegal.with(nil)
	case command == authenticateFirst || command == authenticateNonFirst:
		return l.ask(data, command == authenticateFirst)
	case command == additionalFrame && l.asked != nil && l.asked.chained:
		return l.answerAES(data)
	case command == additionalFrame && l.asked != nil:
		return l.answer(data)
	}
	if l.chain != nil {
		return d.chained(command, data, l)
	}
	return l.carry(command, data, d.order(command, l))
}

// chained answers a command within a session by AuthenticateAES.
func (d *DESFire) chained(command byte, data []byte, l *lock) []byte {
	var s status
	c := l.chain
	switch {
	case command == changeKey:
		s = l.changeKeyAES(data)
	case command == deleteApplication && c.number == 0 && string(data) == d.selected:
		d.drop(l)
	default:
		s = statusIllegal
	}
	if s != statusDone {
		l.shut()
		return s.with(nil)
	}
	if l.chain == nil { // the command has ended the session
		return statusDone.with(nil)
	}
	return statusDone.with(c.sign())
}

func (d *DESFire) order(command byte, l *lock) order {
	switch command {
	case getCardUID:
		return l.cardUID(d.uid[:])
	case getKeyVersion:
		return l.keyVersion()
	case changeKey:
		return l.changeKey()
	case deleteApplication:
		return order{signed, 3, d.remove}
	}
	return order{plain, 0, func(_, _ []byte) ([]byte, status) { return nil, statusIllegal }}
}

func (d *DESFire) choose(data []byte) []byte {
	d.enter("")
	switch name := string(data); {
	case len(data) != 3:
		return statusLength.with(nil)
	case d.applications[name] == nil && name != "\x00\x00\x00":
		return statusNoApp.with(nil)
	case d.applications[name] != nil:
		d.enter(name)
	}
	return statusDone.with(nil)
}

// create makes an application: its name, its settings, and how many keys of AES it has.
func (d *DESFire) create(data []byte) []byte {
	const aes = 0x80
	switch {
	case d.selected != "":
		return statusPermission.with(nil)
	case len(data) != 5:
		return statusLength.with(nil)
	case data[4]&0xC0 != aes || data[4]&0x0F == 0 || string(data[:3]) == "\x00\x00\x00":
		return statusParameter.with(nil)
	case d.applications[string(data[:3])] != nil:
		return statusDuplicate.with(nil)
	}
	d.applications[string(data[:3])] = newLock(make([]card.Key, data[4]&0x0F), 0)
	return statusDone.with(nil)
}

// remove deletes the application that is selected, for whoever has its first key.
func (d *DESFire) remove(name, body []byte) ([]byte, status) {
	l := d.applications[d.selected]
	switch {
	case len(body) > 0:
		return nil, statusLength
	case !l.inside(0) || string(name) != d.selected:
		return nil, statusPermission
	}
	d.drop(l)
	return nil, statusDone
}

// drop deletes the application that is selected, and the session with it.
func (d *DESFire) drop(l *lock) {
	l.shut()
	d.failures += l.failures
	delete(d.applications, d.selected)
	d.enter("")
}

// version says what chip it is, in three frames.
func (d *DESFire) version() frames {
	return frames{
		{0x04, 0x01, 0x01, byte(d.generation), 0x00, 0x18, 0x05},
		{0x04, 0x01, 0x01, byte(d.generation), 0x00, 0x18, 0x05},
		slices.Concat(d.uid[:], []byte{0xCF, 0x39, 0xD4, 0x49, 0x80, 0x34, 0x20}),
	}
}
