package virtual

import "slices"

// The native commands (NT4H2421Gx, 10, and MF3D(H)x3, 11).
const (
	authenticateFirst    = 0x71
	authenticateNonFirst = 0x77
	authenticateAES      = 0xAA
	additionalFrame      = 0xAF
	getVersion           = 0x60
	getCardUID           = 0x51
	getKeyVersion        = 0x64
	changeKey            = 0xC4
	getFileSettings      = 0xF5
	changeFileSettings   = 0x5F
	writeData            = 0x8D
	readSignature        = 0x3C
	createApplication    = 0xCA
	deleteApplication    = 0xDA
	selectApplication    = 0x5A
)

// native answers a native command.
func (n *NTAG) native(command byte, data []byte) []byte {
	rest := n.rest
	n.rest = nil
	switch {
	case command == getVersion && n.lock.channel == nil:
		n.rest = n.version()
		return n.rest.next()
	case command == additionalFrame && rest != nil:
		n.rest = rest
		return n.rest.next()
	case command == additionalFrame && n.lock.asked != nil:
		return n.lock.answer(data)
	case !n.application: // the chip's own level has no keys
		return statusPermission.with(nil)
	case command == authenticateFirst || command == authenticateNonFirst:
		return n.lock.ask(data, command == authenticateFirst)
	}
	return n.lock.carry(command, data, n.order(command))
}

func (n *NTAG) order(command byte) order {
	switch command {
	case getCardUID:
		return n.lock.cardUID(n.uid[:])
	case getKeyVersion:
		return n.lock.keyVersion()
	case changeKey:
		return n.lock.changeKey()
	case getFileSettings:
		return order{signed, 1, n.fileSettings}
	case changeFileSettings:
		return order{sealed, 1, n.changeSettings}
	case writeData:
		return order{plain, 7, n.write} // the file is not told to protect what goes to it
	case readSignature:
		return order{sealed, 1, func(_, _ []byte) ([]byte, status) { return n.signature[:], statusDone }}
	}
	return order{plain, 0, func(_, _ []byte) ([]byte, status) { return nil, statusIllegal }}
}

// version says what chip it is, in three frames: hardware, software, which one of them.
func (n *NTAG) version() frames {
	number := n.uid[:]
	if n.hides {
		number = make([]byte, len(n.uid))
	}
	return frames{
		{0x04, 0x04, 0x02, 0x30, 0x00, 0x11, 0x05},
		{0x04, 0x04, 0x02, 0x01, 0x02, 0x11, 0x05},
		slices.Concat(number, []byte{0xCF, 0x39, 0xD4, 0x49, 0x80, 0x34, 0x20}),
	}
}
