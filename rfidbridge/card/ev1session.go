package card

import (
	"crypto/subtle"
	"fmt"
	"io"
	"slices"
)

// EV1Session is what an [EV1] has opened: keys can be changed over it. Each message goes on
// from the last block of the one before, in either direction. It is not safe for concurrent
// use.
type EV1Session struct {
	key    Key
	vector [blockSize]byte
	number byte // of the key that has opened it
	ending bool // the answer to come is its last, and has no MAC
	closed bool // an answer was not to be believed
}

// Format keeps the key from being printed.
func (*EV1Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[session]") }

// ChangeKey is as that of [Session].
func (s *EV1Session) ChangeKey(number byte, old, fresh Key, version byte) ([]byte, error) {
	if s.closed || s.ending {
		return nil, errOrder
	}
	data := append(fresh[:len(fresh):len(fresh)], version)
	if s.ending = number == s.number; !s.ending {
		data = append(mixed(old, fresh), version)
	}
	data = append(data, checksum(slices.Concat([]byte{changeKey, number}, data))...)
	if !s.ending {
		data = append(data, checksum(fresh[:])...)
	}
	secret := s.key.encrypt(s.vector, append(data, make([]byte, 2*blockSize-len(data))...))
	copy(s.vector[:], secret[blockSize:])
	return wrap(changeKey, []byte{number}, secret)
}

// Check reads the answer to a ChangeKey. After ErrForged the session is of no more use.
func (s *EV1Session) Check(answer []byte) ([]byte, error) {
	if s.closed {
		return nil, errOrder
	}
	s.closed = true // until the answer is believed
	mac, err := unwrap(answer, statusDone)
	if err != nil || s.ending {
		return nil, err
	}
	s.vector = s.key.cmac(s.vector, []byte{statusDone & 0xFF}, blockSize)
	if subtle.ConstantTimeCompare(mac, s.vector[:len(MAC{})]) != 1 {
		return nil, ErrForged
	}
	s.closed = false
	return nil, nil
}
