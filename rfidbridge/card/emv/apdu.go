package emv

import (
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// conversation is one transaction with a card. It keeps the card's answers, which have the
// card's number in them, to wipe them when it is over.
type conversation struct {
	exchange card.Exchange
	answers  [][]byte
}

// errAnswer is an answer that is none of those that the protocol has.
var errAnswer = errors.New("the card's answer does not read")

// statusDone is success.
const statusDone = 0x9000

// mostData is what one short command carries.
const mostData = 255

// ask sends a command with data, if it has some, and returns the answer without its status.
func (c *conversation) ask(class, instruction, p1, p2 byte, data []byte) ([]byte, error) {
	if len(data) > mostData {
		return nil, errAnswer // the card has asked for more than it can be told
	}
	command := []byte{class, instruction, p1, p2}
	if data != nil {
		command = append(append(command, byte(len(data))), data...)
	}
	answer, err := c.exchange(append(command, 0x00))
	if err != nil {
		return nil, err
	}
	end := len(answer) - 2
	if end < 0 {
		return nil, errAnswer
	}
	c.answers = append(c.answers, answer[:end])
	if status := int(answer[end])<<8 | int(answer[end+1]); status != statusDone {
		return nil, fmt.Errorf("%w: status %04X", card.ErrRefused, status)
	}
	return answer[:end], nil
}

// wipe overwrites what the card has said.
func (c *conversation) wipe() {
	for _, answer := range c.answers {
		clear(answer)
	}
}

// template returns what is in a template that is the whole of an answer.
func template(answer []byte, want uint32) ([]byte, error) {
	if len(answer) == 0 {
		return nil, errAnswer
	}
	tag, _, rest, err := cutTag(answer)
	if err != nil || tag != want {
		return nil, errAnswer
	}
	value, rest, err := cutValue(rest)
	if err != nil || len(rest) > 0 {
		return nil, errAnswer
	}
	return value, nil
}
