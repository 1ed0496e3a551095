package card

import "io"

// Open opens a session with a key of a card by EV2, over an exchange. It tries once.
// ErrForged: the card does not have the key. ErrRefused: it does not take ours for it.
func Open(number byte, key Key, random io.Reader, exchange Exchange) (*Session, error) {
	a := NewEV2(number, key)
	a.random = random
	return run(a, exchange)
}

// OpenEV1 is the same with a DESFire EV1, by a key of AES.
func OpenEV1(number byte, key Key, random io.Reader, exchange Exchange) (*EV1Session, error) {
	a := NewEV1(number, key)
	a.random = random
	return run(a, exchange)
}

// OpenUltralight is the same with an Ultralight AES.
func OpenUltralight(number byte, key Key, random io.Reader, exchange Exchange) (*Signer, error) {
	a := NewUltralight(number, key)
	a.random = random
	return run(a, exchange)
}

// prover is one of the three authentications; T is what it leads to.
type prover[T any] interface {
	Ask() ([]byte, error)
	Reply(answer []byte) ([]byte, error)
	Open(answer []byte) (T, error)
}

// run carries an authentication out.
func run[T any](a prover[T], exchange Exchange) (opened T, err error) {
	command, err := a.Ask()
	if err != nil {
		return opened, err
	}
	answer, err := exchange(command)
	if err != nil {
		return opened, err
	}
	if command, err = a.Reply(answer); err != nil {
		return opened, err
	}
	if answer, err = exchange(command); err != nil {
		return opened, err
	}
	return a.Open(answer)
}
