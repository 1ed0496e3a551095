package issue

import (
	"bytes"
	"errors"
	"net/url"
	"slices"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/ndef"
)

// State is how far a card is, as far as it tells a stranger. Whether its keys are a site's
// only that site can find out.
type State string

// The states.
const (
	Blank   State = "blank"   // as from the factory
	Begun   State = "begun"   // somebody has begun to personalise it, or to make it blank
	Issued  State = "issued"  // it has keys and shows an address as a paywall's cards do
	Foreign State = "foreign" // it has keys of another kind of issuer
)

// Report is what a card says of itself without a key.
type Report struct {
	Kind     card.Kind
	UID      card.UID // zeros: it hides it
	State    State
	Versions []byte // of its keys, by their slots; of an Ultralight there are none
	SUN      bool   // its address comes with a message that it has signed
	Address  string // that it shows, without the message; empty: none
	Signed   bool   // NXP has signed its UID; of an NTAG 424 DNA alone
}

// Inspect asks a card of a kind, and changes nothing on it but the counter of a SUN.
func Inspect(kind card.Kind, exchange card.Exchange) (Report, error) {
	l := link{exchange: exchange}
	switch kind {
	case card.KindNTAG424:
		return l.inspectNTAG()
	case card.KindDESFire:
		return l.inspectDESFire()
	case card.KindUltralight:
		return l.inspectUltralight()
	}
	return Report{}, ErrKind
}

func (l link) inspectNTAG() (Report, error) {
	r := Report{Kind: card.KindNTAG424}
	n, err := l.readNTAG()
	if err != nil {
		return r, err
	}
	r.UID, r.Versions = n.uid, n.versions
	if message, err := ndef.File(n.file); err == nil {
		r.Address = plainAddress(message)
	}
	const mirrors = 0x40
	r.SUN = len(n.settings) > 1 && n.settings[1]&mirrors != 0
	r.State = stateOf(n.versions, r.SUN)
	signature, status, err := l.ask(0x90, 0x3C, 0x00, 0x00, 0x01, 0x00, 0x00)
	if err != nil {
		return r, err
	}
	r.Signed = (status == nativeDone || status == 0x9190) && len(signature) == card.SignatureSize &&
		card.Genuine(n.uid, [card.SignatureSize]byte(signature))
	return r, nil
}

// stateOf judges by the versions of a card's keys, and by whether anything else is there.
func stateOf(versions []byte, more bool) State {
	fresh, ours := 0, 0
	for _, v := range versions {
		switch v {
		case 0:
			fresh++
		case KeyVersion:
			ours++
		}
	}
	switch {
	case fresh+ours < len(versions):
		return Foreign
	case fresh == len(versions) && !more:
		return Blank
	case ours == len(versions) && more:
		return Issued
	}
	return Begun
}

func (l link) inspectDESFire() (Report, error) {
	r := Report{Kind: card.KindDESFire, State: Blank}
	d, err := l.readDESFire()
	r.UID = d.uid
	if err != nil || !d.there {
		return r, err
	}
	if r.Versions, err = l.versions(desfireKeys); err != nil {
		return r, err
	}
	if r.State = stateOf(r.Versions, true); r.State == Blank {
		r.State = Begun
	}
	return r, nil
}

func (l link) inspectUltralight() (Report, error) {
	r := Report{Kind: card.KindUltralight, State: Foreign}
	u, err := l.readUltralight()
	if err != nil {
		return r, err
	}
	r.UID = u.uid
	var area []byte
	for page := userPage; page < userPage+userPages; page += readAtOnce {
		part, err := l.readPages(byte(page))
		if err != nil {
			return r, err
		}
		area = append(area, part...)
	}
	if message, err := ndef.Area(area); err == nil {
		r.Address = plainAddress(message)
	}
	written := slices.ContainsFunc(area, func(b byte) bool { return b != 0 })
	switch {
	case u.first == openPage && !written:
		r.State = Blank
	case u.first == openPage:
		r.State = Begun
	case u.first == userPage && r.Address != "":
		r.State = Issued
	}
	return r, nil
}

// plainAddress is the address of a message without what tells the card apart.
func plainAddress(message []byte) string {
	address, err := ndef.URI(bytes.Clone(message))
	if err != nil {
		return ""
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}).String()
}

// Identify finds out of which kind a chip is, by what it says of itself. frames: exchange
// carries the chip's own frames. ErrKind: of none that can be issued.
func Identify(frames bool, exchange card.Exchange) (card.Kind, error) {
	l := link{exchange: exchange}
	if frames {
		version, err := exchange([]byte{0x60})
		if err == nil && !isUltralight(version) {
			err = ErrKind
		}
		return card.KindUltralight, err
	}
	version, err := l.version()
	if errors.Is(err, errRefused) || errors.Is(err, errAnswer) {
		err = ErrKind
	}
	if err != nil {
		return "", err
	}
	switch version[1] {
	case chipNTAG:
		return card.KindNTAG424, nil
	case chipDESFire:
		return card.KindDESFire, nil
	}
	return "", ErrKind
}
