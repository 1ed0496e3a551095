package card

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Session is what an [EV2] has opened: what goes over it comes from the card that was
// authenticated, in this order, or is not believed. Another card that is put in its place
// cannot go on with it. It is not safe for concurrent use.
type Session struct {
	enc, mac    Key
	transaction [4]byte
	counter     uint16 // of commands
	number      byte   // of the key that has opened it
	ending      bool   // the answer to come is its last, and has no MAC
	closed      bool   // an answer was not to be believed
}

// Format keeps the keys from being printed.
func (*Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[session]") }

// signature is the MAC of a command or of an answer: code, counter, transaction, content.
func (s *Session) signature(code byte, content ...[]byte) MAC {
	message := binary.LittleEndian.AppendUint16([]byte{code}, s.counter)
	message = append(message, s.transaction[:]...)
	for _, c := range content {
		message = append(message, c...)
	}
	return truncate(s.mac.CMAC(message))
}

// vector is the initialization vector of a command or of an answer in full mode.
func (s *Session) vector(first, second byte) (iv [blockSize]byte) {
	iv[0], iv[1] = first, second
	copy(iv[2:], s.transaction[:])
	binary.LittleEndian.PutUint16(iv[6:], s.counter)
	s.enc.block().Encrypt(iv[:], iv[:])
	return iv
}

// Sign makes a command that is sent in plain with a MAC (CommMode.MAC). header stays in
// plain in both modes, such as a file's number.
func (s *Session) Sign(command byte, header, data []byte) ([]byte, error) {
	if s.closed {
		return nil, errOrder
	}
	mac := s.signature(command, header, data)
	return wrap(command, header, data, mac[:])
}

// Seal makes a command whose data are encrypted too (CommMode.Full); none stay none.
func (s *Session) Seal(command byte, header, data []byte) ([]byte, error) {
	if len(data) > 0 {
		data = s.enc.encrypt(s.vector(0xA5, 0x5A), pad(data, 0))
	}
	return s.Sign(command, header, data)
}

// Plain makes a command that goes in plain, as what writes a file that is not protected on
// its way (CommMode.Plain).
func (s *Session) Plain(command byte, data ...[]byte) ([]byte, error) {
	if s.closed {
		return nil, errOrder
	}
	return wrap(command, data...)
}

// CheckPlain returns the data of the answer to one. Nothing proves whose it is.
func (s *Session) CheckPlain(answer []byte) ([]byte, error) {
	if s.closed {
		return nil, errOrder
	}
	data, err := unwrap(answer, statusDone)
	if err == nil {
		err = s.count()
	}
	s.closed = err != nil
	return data, err
}

// count counts a command that was carried out.
func (s *Session) count() error {
	if s.counter++; s.counter == 0 {
		return fmt.Errorf("%w: the session has no more numbers for commands", errOrder)
	}
	return nil
}

// Check returns the data of an answer to a signed command. After ErrForged the session is
// of no more use.
func (s *Session) Check(answer []byte) ([]byte, error) {
	if s.closed {
		return nil, errOrder
	}
	s.closed = true // until the answer is believed
	data, err := unwrap(answer, statusDone)
	if err != nil || s.ending {
		return nil, err
	}
	n := len(data) - len(MAC{})
	if n < 0 {
		return nil, errAnswer
	}
	if err := s.count(); err != nil {
		return nil, err
	}
	if !s.signature(0x00, data[:n]).equal(MAC(data[n:])) {
		return nil, ErrForged
	}
	s.closed = false
	return data[:n], nil
}

// Unseal returns the data of an answer to a sealed command.
func (s *Session) Unseal(answer []byte) ([]byte, error) {
	secret, err := s.Check(answer)
	if err != nil || len(secret) == 0 {
		return nil, err
	}
	if len(secret)%blockSize != 0 {
		s.closed = true
		return nil, errAnswer
	}
	plain, err := unpad(s.enc.decrypt(s.vector(0x5A, 0xA5), secret))
	if err != nil {
		s.closed = true
	}
	return plain, err
}

const getCardUID = 0x51

// AskUID is the command for the UID of the card that is authenticated, which may show
// strangers another one at each tap.
func (s *Session) AskUID() ([]byte, error) { return s.Seal(getCardUID, nil, nil) }

// UID reads the answer to it.
func (s *Session) UID(answer []byte) (uid UID, err error) {
	plain, err := s.Unseal(answer)
	if err != nil {
		return UID{}, err
	}
	if len(plain) != len(uid) {
		return UID{}, errAnswer
	}
	return UID(plain), nil
}
