package pcsc

import "fmt"

// Card is a card that nobody else may talk to, until it is closed. What it is has to be
// read, or proved, again after every error. It is safe for concurrent use.
type Card struct {
	client   *Client
	handle   uint32
	protocol uint32
}

// Connect takes the card in a reader for this client alone.
func (c *Client) Connect(reader string) (card *Card, err error) {
	if len(reader) >= nameSize {
		return nil, ErrUnknownReader
	}
	err = c.do(func(conn *conn) error {
		body := words(c.context)
		body = append(body, make([]byte, nameSize)...)
		copy(body[4:], reader)
		body = append(body, words(shareExclusive, protocolAny, 0, 0, 0)...)
		answer, err := conn.ask(connectCard, body)
		if err != nil {
			return err
		}
		tail := answer[4+nameSize:]
		card = &Card{client: c, handle: word(tail, 2), protocol: word(tail, 3)}
		return statusOf(word(tail, 4))
	})
	if err != nil {
		return nil, err
	}
	return card, nil
}

// resetCard is what is done with a card that is given up.
const resetCard = 1

// Close gives the card up and resets it, so that what it was told is forgotten.
func (k *Card) Close() error {
	return k.client.do(func(conn *conn) error {
		answer, err := conn.ask(disconnectCard, words(k.handle, resetCard, 0))
		if err != nil {
			return err
		}
		return statusOf(word(answer, 2))
	})
}

// Sizes of what goes to a card and comes back: extended APDUs.
const (
	mostCommand = 4 + 3 + 1<<16 + 3
	mostAnswer  = 1<<16 + 2
	pciSize     = 8
)

// Transmit sends a command (an APDU) and returns the card's answer with its status. The
// error has neither in it.
func (k *Card) Transmit(command []byte) (answer []byte, err error) {
	if len(command) > mostCommand {
		return nil, fmt.Errorf("a command of %d bytes is longer than a card takes", len(command))
	}
	err = k.client.do(func(conn *conn) error {
		head, err := conn.ask(transmit, words(k.handle, k.protocol, pciSize, uint32(len(command)), k.protocol, pciSize, mostAnswer, 0), command)
		if err != nil {
			return err
		}
		if err := statusOf(word(head, 7)); err != nil {
			return err
		}
		answer, err = conn.body(word(head, 6), mostAnswer)
		return err
	})
	if err == nil && len(answer) < 2 {
		return nil, ErrTorn // a card that is torn away can answer success, and nothing
	}
	return answer, err
}

// Control sends a command to the reader itself, such as for its light.
func (k *Card) Control(code uint32, command []byte) (answer []byte, err error) {
	if len(command) > mostCommand {
		return nil, fmt.Errorf("a command of %d bytes is longer than a reader takes", len(command))
	}
	err = k.client.do(func(conn *conn) error {
		head, err := conn.ask(control, words(k.handle, code, uint32(len(command)), mostAnswer, 0, 0), command)
		if err != nil {
			return err
		}
		if err := statusOf(word(head, 5)); err != nil {
			return err
		}
		answer, err = conn.body(word(head, 4), mostAnswer)
		return err
	})
	return answer, err
}

// body reads what follows an answer.
func (c *conn) body(size, most uint32) ([]byte, error) {
	if size > most {
		return nil, fmt.Errorf("%w: an answer of %d bytes", ErrProtocol, size)
	}
	return c.receive(int(size))
}
