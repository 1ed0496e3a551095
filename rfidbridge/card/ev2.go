package card

// EV2 is one mutual authentication with an NTAG 424 DNA, a DESFire EV2 or EV3. The methods
// are called in the order in which they stand here, with what the card has answered to the
// command before. A card counts the authentications that fail, and slows down or locks: the
// key has to be known to be right first.
//
// It is not safe for concurrent use, and good for one try.
type EV2 struct {
	challenge
	number byte
	before *Session // that goes on with another key
}

// NewEV2 begins a session with a key of the card, by its number.
func NewEV2(number byte, key Key) *EV2 { return &EV2{challenge: newChallenge(key), number: number} }

// Again authenticates with another key within the session, which keeps its transaction and
// its counter (AuthenticateEV2NonFirst).
func (s *Session) Again(number byte, key Key) *EV2 {
	return &EV2{challenge: newChallenge(key), number: number, before: s}
}

const (
	authenticateEV2First    = 0x71
	authenticateEV2NonFirst = 0x77
	additionalFrame         = 0xAF
)

// Ask is the command that asks for the card's challenge.
func (a *EV2) Ask() ([]byte, error) {
	if err := a.to(asked); err != nil {
		return nil, err
	}
	if a.before != nil {
		return wrap(authenticateEV2NonFirst, []byte{a.number})
	}
	return wrap(authenticateEV2First, []byte{a.number, 0x00}) // no capabilities to tell
}

// Reply is the command that answers the card's challenge with ours.
func (a *EV2) Reply(answer []byte) ([]byte, error) {
	secret, err := unwrap(answer, statusMore)
	if err != nil {
		return nil, err
	}
	token, err := a.reply(secret, false)
	if err != nil {
		return nil, err
	}
	return wrap(additionalFrame, token)
}

// Open reads the card's proof. ErrForged: the card does not have the key.
func (a *EV2) Open(answer []byte) (*Session, error) {
	if err := a.to(over); err != nil {
		return nil, err
	}
	secret, err := unwrap(answer, statusDone)
	if err != nil {
		return nil, err
	}
	const first = 2 * blockSize // transaction, challenge, capabilities of both
	if a.before == nil && len(secret) != first || a.before != nil && len(secret) != blockSize {
		return nil, errAnswer
	}
	plain := a.key.decrypt([blockSize]byte{}, secret)
	s := &Session{number: a.number}
	if a.before != nil {
		s.transaction, s.counter = a.before.transaction, a.before.counter
	} else {
		copy(s.transaction[:], plain)
		plain = plain[len(s.transaction) : len(s.transaction)+blockSize]
	}
	if err := a.proved(plain); err != nil {
		return nil, err
	}
	s.enc, s.mac = a.session(0xA5, 0x5A), a.session(0x5A, 0xA5)
	return s, nil
}
