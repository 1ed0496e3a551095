package card

// Kind is a family of chips, by the protocol in which they prove themselves.
type Kind string

// The kinds.
const (
	KindNTAG424    Kind = "ntag424"    // NTAG 424 DNA
	KindDESFire    Kind = "desfire"    // DESFire EV2 and EV3, and EV1 with AES
	KindUltralight Kind = "ultralight" // MIFARE Ultralight AES
)

// Kinds are all there are.
var Kinds = []Kind{KindNTAG424, KindDESFire, KindUltralight}

// Exchange carries a command to a card and its answer back. After an error the card may be
// gone, or another one there: nothing that was proved before counts any more.
//
// Commands are APDUs, those of an Ultralight the chip's own frames.
type Exchange func(command []byte) (answer []byte, err error)

// Application is the name of the site's application on a DESFire, in the order in which it
// is sent.
var Application = [3]byte{0xF0, 0x50, 0x57}

// SelectApplication is the command that selects it.
func SelectApplication() []byte {
	return []byte{0x90, 0x5A, 0x00, 0x00, byte(len(Application)), Application[0], Application[1], Application[2], 0x00}
}

// Slot is one of the keys with which a card proves itself, by who asks for the proof.
type Slot int

// The slots.
const (
	Online  Slot = iota // the paywall, through a kiosk that has no key: K3
	Offline             // a kiosk that cannot reach the paywall and has this card's key: K4
)

// Key is the slot's key of a card.
func (s Slot) Key(of BoltKeys) Key {
	if s == Offline {
		return of.Keys[4]
	}
	return of.Keys[3]
}

// number is that of the slot's key on a card of a kind.
func (s Slot) number(kind Kind) byte {
	switch kind {
	case KindNTAG424:
		return 3 + byte(s)
	case KindDESFire:
		return 1 + byte(s)
	default:
		return byte(s)
	}
}
