package card

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Ultralight is one mutual authentication with a MIFARE Ultralight AES. It is used as
// [EV2] is, but the commands are the chip's own frames, which a reader has to pass through
// as they are.
type Ultralight struct {
	challenge
	number byte
}

// NewUltralight begins with a key of the card, by its number.
func NewUltralight(number byte, key Key) *Ultralight { return &Ultralight{newChallenge(key), number} }

const (
	authenticateUltralight = 0x1A
	ultralightMore         = 0xAF
	ultralightDone         = 0x00
)

// Ask is the command that asks for the card's challenge.
func (a *Ultralight) Ask() ([]byte, error) {
	if err := a.to(asked); err != nil {
		return nil, err
	}
	return []byte{authenticateUltralight, a.number}, nil
}

// Reply is the command that answers it with ours.
func (a *Ultralight) Reply(answer []byte) ([]byte, error) {
	secret, err := ultralightFrame(answer, ultralightMore)
	if err != nil {
		return nil, err
	}
	token, err := a.reply(secret, false)
	return append([]byte{ultralightMore}, token...), err
}

// Open reads the card's proof, and returns what signs the commands that follow.
func (a *Ultralight) Open(answer []byte) (*Signer, error) {
	if err := a.to(over); err != nil {
		return nil, err
	}
	secret, err := ultralightFrame(answer, ultralightDone)
	if err != nil {
		return nil, err
	}
	if len(secret) != blockSize {
		return nil, errAnswer
	}
	if err := a.proved(a.key.decrypt([blockSize]byte{}, secret)); err != nil {
		return nil, err
	}
	return &Signer{key: a.session(0x5A, 0xA5)}, nil
}

// ultralightFrame returns what is behind the first byte of an answer, which says what it is.
// Refusals are frames of four bits, which readers hand on as one byte.
func ultralightFrame(answer []byte, want byte) ([]byte, error) {
	switch {
	case len(answer) == 0:
		return nil, errAnswer
	case len(answer) == 1 || answer[0] != want:
		return nil, ErrRefused
	}
	return answer[1:], nil
}

// Signer signs the frames of a session with an Ultralight AES, each with the number of
// those before it in both directions. It is not safe for concurrent use.
type Signer struct {
	key     Key
	counter uint16
}

// Format keeps the key from being printed.
func (*Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[signer]") }

func (s *Signer) next(frame []byte) MAC {
	message := binary.LittleEndian.AppendUint16(nil, s.counter)
	s.counter++
	return truncate(s.key.CMAC(append(message, frame...)))
}

// Sign appends the MAC to a command.
func (s *Signer) Sign(command []byte) []byte {
	mac := s.next(command)
	return append(append([]byte(nil), command...), mac[:]...)
}

// Check takes the MAC off an answer.
func (s *Signer) Check(answer []byte) ([]byte, error) {
	n := len(answer) - len(MAC{})
	if n < 0 {
		return nil, errAnswer
	}
	if !s.next(answer[:n]).equal(MAC(answer[n:])) {
		return nil, ErrForged
	}
	return answer[:n], nil
}
