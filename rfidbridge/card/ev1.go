package card

// EV1 is one mutual authentication with a DESFire EV1 by an AES key. It is used as [EV2]
// is; each message goes on from the last block of the one before.
type EV1 struct {
	challenge
	number byte
}

// NewEV1 begins with a key of the card's selected application, by its number.
func NewEV1(number byte, key Key) *EV1 { return &EV1{newChallenge(key), number} }

const authenticateAES = 0xAA

// Ask is the command that asks for the card's challenge.
func (a *EV1) Ask() ([]byte, error) {
	if err := a.to(asked); err != nil {
		return nil, err
	}
	return wrap(authenticateAES, []byte{a.number})
}

// Reply is the command that answers it with ours.
func (a *EV1) Reply(answer []byte) ([]byte, error) {
	secret, err := unwrap(answer, statusMore)
	if err != nil {
		return nil, err
	}
	token, err := a.reply(secret, true)
	if err != nil {
		return nil, err
	}
	return wrap(additionalFrame, token)
}

// Open reads the card's proof.
func (a *EV1) Open(answer []byte) (*EV1Session, error) {
	if err := a.to(over); err != nil {
		return nil, err
	}
	secret, err := unwrap(answer, statusDone)
	if err != nil {
		return nil, err
	}
	if len(secret) != blockSize {
		return nil, errAnswer
	}
	if err := a.proved(a.key.decrypt(a.last, secret)); err != nil {
		return nil, err
	}
	s := &EV1Session{number: a.number}
	copy(s.key[0:], a.rndA[:4])
	copy(s.key[4:], a.rndB[:4])
	copy(s.key[8:], a.rndA[12:])
	copy(s.key[12:], a.rndB[12:])
	return s, nil
}
