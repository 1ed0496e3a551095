package virtual

import "slices"

const (
	optionMirrors = 0x40 // of a file: secure dynamic messaging
	sunLength     = 15   // bytes of settings that turn it on as this card knows it
)

// fileSettings is GetFileSettings.
func (n *NTAG) fileSettings(head, body []byte) ([]byte, status) {
	switch {
	case len(body) > 0:
		return nil, statusLength
	case head[0] != ndefNumber:
		return nil, statusNoFile
	}
	f := n.ndef
	option := byte(0)
	if f.mirrors {
		option = optionMirrors
	}
	settings := slices.Concat([]byte{0x00, option}, f.rights[:], words(ndefSize))
	if f.mirrors {
		settings = append(settings, f.sun.options, 0xF0|f.sun.ask, f.sun.meta<<4|f.sun.file)
		settings = append(settings, words(f.sun.picc, f.sun.input, f.sun.mac)...)
	}
	return settings, statusDone
}

// changeSettings is ChangeFileSettings, of which this card knows the SUN message with
// encrypted PICC data and a MAC, and none at all.
func (n *NTAG) changeSettings(head, body []byte) ([]byte, status) {
	switch {
	case head[0] != ndefNumber:
		return nil, statusNoFile
	case !n.lock.inside(n.ndef.rights[0] & 0x0F):
		return nil, statusPermission
	case len(body) == 3 && body[0] == 0:
		n.ndef.rights, n.ndef.mirrors = [2]byte(body[1:]), false
		return nil, statusDone
	case len(body) != sunLength:
		return nil, statusLength
	}
	s := sunSettings{
		options: body[3], ask: body[4] & 0x0F, meta: body[5] >> 4, file: body[5] & 0x0F,
		picc: word(body[6:]), input: word(body[9:]), mac: word(body[12:]),
	}
	if body[0] != optionMirrors || s.options != sunOfBoth || !s.fits(len(n.lock.keys)) {
		return nil, statusParameter
	}
	n.ndef.rights, n.ndef.mirrors, n.ndef.sun = [2]byte(body[1:]), true, s
	n.ndef.counter = 0 // as when it is turned on
	return nil, statusDone
}

// fits reports whether the message lies within the file, and its keys are there.
func (s sunSettings) fits(keys int) bool {
	return int(s.meta) < keys && int(s.file) < keys && s.picc+piccLength <= ndefSize && s.mac+macLength <= ndefSize &&
		s.input <= s.mac && (s.picc+piccLength <= s.mac || s.mac+macLength <= s.picc)
}
