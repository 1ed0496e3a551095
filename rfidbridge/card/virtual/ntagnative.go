package virtual

import "slices"

// The native commands of an NTAG 424 DNA (NT4H2421Gx, 10).
const (
	authenticateFirst    = 0x71
	authenticateNonFirst = 0x77
	additionalFrame      = 0xAF
	getVersion           = 0x60
	getCardUID           = 0x51
)

// native answers a native command. A session is over with the first command that is not
// carried out.
func (n *NTAG) native(command byte, data []byte) []byte {
	frames := n.frames
	n.frames = nil
	switch {
	case command == getVersion && n.lock.channel == nil:
		n.frames = n.version()
		return n.frame()
	case command == additionalFrame && frames != nil:
		n.frames = frames
		return n.frame()
	case command == additionalFrame && n.lock.asked != nil:
		return n.lock.answer(data)
	case !n.application: // the chip's own level has no keys
		return statusPermission.with(nil)
	case command == authenticateFirst || command == authenticateNonFirst:
		return n.lock.ask(data, command == authenticateFirst)
	}
	answer, s := n.secure(command, data)
	if s != statusDone {
		n.lock.shut()
		return s.with(nil)
	}
	return answer
}

// secure answers a command within a session.
func (n *NTAG) secure(command byte, data []byte) ([]byte, status) {
	c := n.lock.channel
	switch {
	case command != getCardUID:
		return nil, statusIllegal
	case c == nil:
		return nil, statusPermission
	}
	_, body, s := c.take(command, data, 0, true)
	switch {
	case s != statusDone:
		return nil, s
	case len(body) > 0:
		return nil, statusLength
	}
	return c.give(n.uid[:], true), statusDone
}

// version says what chip it is, in three frames: hardware, software, which one of them.
func (n *NTAG) version() [][]byte {
	number := n.uid[:]
	if n.hides {
		number = make([]byte, len(n.uid))
	}
	return [][]byte{
		{0x04, 0x04, 0x02, 0x30, 0x00, 0x11, 0x05},
		{0x04, 0x04, 0x02, 0x01, 0x02, 0x11, 0x05},
		slices.Concat(number, []byte{0xCF, 0x39, 0xD4, 0x49, 0x80, 0x34, 0x20}),
	}
}

// frame is the next one of an answer in several.
func (n *NTAG) frame() []byte {
	next := n.frames[0]
	if n.frames = n.frames[1:]; len(n.frames) > 0 {
		return statusMore.with(next)
	}
	n.frames = nil
	return statusDone.with(next)
}
