package virtual

import "slices"

// protection is how a command goes within a session: what of it is signed or encrypted
// (CommMode of the data sheets).
type protection int

const (
	plain  protection = iota // neither, but it counts
	signed                   // both ways
	sealed                   // both ways, with a MAC
)

// order is a native command: how it goes, and what the chip does with its header and the
// data behind it. Without a session it goes in plain; what may not is do's to refuse.
type order struct {
	protection protection
	header     int // bytes that are never encrypted
	do         func(head, body []byte) (answer []byte, s status)
}

// carry carries out an order. A session is over with the first that is refused.
func (l *lock) carry(command byte, data []byte, o order) []byte {
	answer, s := l.carried(command, data, o)
	if s != statusDone {
		l.shut()
		return s.with(nil)
	}
	return answer
}

func (l *lock) carried(command byte, data []byte, o order) ([]byte, status) {
	c := l.channel
	if c == nil || o.protection == plain {
		if len(data) < o.header {
			return nil, statusLength
		}
		answer, s := o.do(data[:o.header], data[o.header:])
		if c != nil {
			c.counter++
		}
		return statusDone.with(answer), s
	}
	head, body, s := c.take(command, data, o.header, o.protection == sealed)
	if s != statusDone {
		return nil, s
	}
	answer, s := o.do(slices.Clone(head), body)
	switch {
	case s != statusDone:
		return nil, s
	case l.channel == nil: // the command has ended the session
		return statusDone.with(answer), statusDone
	}
	return c.give(answer, o.protection == sealed), statusDone
}

// inside reports whether the session was opened with a key.
func (l *lock) inside(number byte) bool { return l.channel != nil && l.channel.number == number }

// keyVersion is GetKeyVersion.
func (l *lock) keyVersion() order {
	return order{signed, 1, func(head, body []byte) ([]byte, status) {
		switch {
		case len(body) > 0:
			return nil, statusLength
		case int(head[0]) >= len(l.versions):
			return nil, statusNoKey
		}
		return l.versions[head[0]:][:1], statusDone
	}}
}

// cardUID is GetCardUID.
func (l *lock) cardUID(uid []byte) order {
	return order{sealed, 0, func(_, body []byte) ([]byte, status) {
		switch {
		case l.channel == nil:
			return nil, statusPermission
		case len(body) > 0:
			return nil, statusLength
		}
		return uid, statusDone
	}}
}

// changeKey is ChangeKey, for which the session has to be key 0's. That key is sent as it is
// to be, and its change ends the session; another is sent mixed with the one that it
// replaces, and its checksum behind it.
func (l *lock) changeKey() order {
	return order{sealed, 1, func(head, body []byte) ([]byte, status) {
		const size, sum = 16, 4
		number := head[0] & 0x0F // the rest says what kind of key, for a chip's own level
		switch {
		case !l.inside(0):
			return nil, statusPermission
		case int(number) >= len(l.keys):
			return nil, statusNoKey
		case number == 0 && len(body) != size+1, number != 0 && len(body) != size+1+sum:
			return nil, statusLength
		}
		return nil, l.put(number, body[:size], body[size], body[size+1:])
	}}
}

// put puts a key in its place, as ChangeKey has it: that of the session as it is, another
// mixed with the one before, and with its checksum.
func (l *lock) put(number byte, sent []byte, version byte, sum []byte) status {
	fresh := slices.Clone(sent)
	if number != 0 {
		for i := range fresh {
			fresh[i] ^= l.keys[number][i]
		}
		if !slices.Equal(checksum(fresh), sum) {
			return statusIntegrity
		}
	}
	copy(l.keys[number][:], fresh)
	l.versions[number] = version
	if number == 0 {
		l.shut()
	}
	return statusDone
}

// checksum is the CRC-32 of IEEE 802.3 without its last inversion, as these chips write it.
func checksum(of []byte) []byte {
	crc := ^uint32(0)
	for _, b := range of {
		crc ^= uint32(b)
		for range 8 {
			crc = crc>>1 ^ 0xEDB88320&-(crc&1)
		}
	}
	return []byte{byte(crc), byte(crc >> 8), byte(crc >> 16), byte(crc >> 24)}
}
