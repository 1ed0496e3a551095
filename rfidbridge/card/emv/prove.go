package emv

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // EMV knows no other hash
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// ErrUnproven is a card that signs nothing for a terminal: its number is data that anybody
// can copy.
var ErrUnproven = errors.New("the card does not prove that it is the one")

// The bits of the first byte of a profile that say how a card signs when it is asked.
const (
	canDynamic  = 0x20 // INTERNAL AUTHENTICATE
	canCombined = 0x01 // GENERATE AC
)

// prove has the card sign the terminal's challenge, as it can: most have done so already.
func (k *Card) prove(c *conversation, s *shown, own told) error {
	switch {
	case s.find(tagSignature) != nil:
		return k.fast(s, own)
	case s.profile[0]&canCombined != 0:
		return k.combined(c, s, own)
	case s.profile[0]&canDynamic != 0:
		return k.dynamic(c, s, own)
	}
	return ErrUnproven
}

// fast checks what the card has signed with its first answer (fDDA, EMV Book C-3, annex C):
// since version 01 the amount, the currency and what the card has added are in it.
func (k *Card) fast(s *shown, own told) error {
	terminal := bytes.Clone(own[tagUnpredictable].value)
	if part := s.find(tagCardsPart); part != nil {
		if len(part) == 0 || part[0] != 0x01 {
			return fmt.Errorf("%w: a version of fDDA that there is not", ErrUnproven)
		}
		terminal = append(terminal, own[tagAmount].value...)
		terminal = append(terminal, own[tagCurrency].value...)
		terminal = append(terminal, part...)
	}
	_, err := k.Dynamic(s.find(tagSignature), terminal)
	return err
}

// The commands that have a card sign.
const (
	instructionAuthenticate = 0x88
	instructionGenerate     = 0xAE

	onlineCombined = 0x90 // a cryptogram for going online, with a signature
)

// sign asks the card for a signature, which it may refuse: then it proves nothing.
func (c *conversation) sign(class, instruction, p1 byte, terminal []byte) ([]byte, error) {
	answer, err := c.ask(class, instruction, p1, 0x00, terminal)
	if errors.Is(err, card.ErrRefused) {
		err = fmt.Errorf("%w: %w", ErrUnproven, err)
	}
	return answer, err
}

// defaultDDOL asks for the challenge alone.
var defaultDDOL = []byte{0x9F, 0x37, sizeUnpredictable}

// dynamic asks for a signature by INTERNAL AUTHENTICATE (DDA, EMV Book 2, 6.5).
func (k *Card) dynamic(c *conversation, s *shown, own told) error {
	list := s.find(tagDDOL)
	if list == nil {
		list = defaultDDOL
	}
	if !asks(list, tagUnpredictable, sizeUnpredictable) {
		return fmt.Errorf("%w: it does not want the challenge", ErrUnproven)
	}
	terminal, err := own.answers(list)
	if err != nil {
		return err
	}
	answer, err := c.sign(0x00, instructionAuthenticate, 0x00, terminal)
	if err != nil {
		return err
	}
	signature, err := template(answer, tagFormat1)
	if err != nil {
		objects, err := Parse(answer)
		if err != nil {
			return err
		}
		signature = Find(objects, tagSignature)
	}
	_, err = k.Dynamic(signature, terminal)
	return err
}

// combined asks for a cryptogram with a signature by GENERATE AC (CDA, EMV Book 2, 6.6). The
// cryptogram is for an issuer that is never asked, and is dropped.
func (k *Card) combined(c *conversation, s *shown, own told) error {
	terminal, err := own.answers(s.find(tagCDOL1))
	if err != nil {
		return err
	}
	answer, err := c.sign(classOwn, instructionGenerate, onlineCombined, terminal)
	if err != nil {
		return err
	}
	content, err := template(answer, tagFormat2)
	if err != nil {
		return err
	}
	objects, err := Parse(content)
	if err != nil {
		return err
	}
	signature := Find(objects, tagSignature)
	if signature == nil {
		return fmt.Errorf("%w: it declines", ErrUnproven)
	}
	said, err := k.Dynamic(signature, own[tagUnpredictable].value)
	if err != nil {
		return err
	}
	sum := sha1.New() //nolint:gosec // see above
	for _, part := range [][]byte{s.asked, terminal, without(content, tagSignature)} {
		sum.Write(part)
	}
	return agrees(said, Find(objects, tagCryptogram), sum.Sum(nil))
}

// agrees checks what a card has signed beside a cryptogram: its own number, which kind the
// cryptogram is of, it, and the hash of what both sides have said.
func agrees(said, kind, sum []byte) error {
	const cryptogram = 8
	if len(said) == 0 || len(kind) != 1 || len(said) != 1+int(said[0])+1+cryptogram+len(sum) {
		return ErrForged
	}
	said = said[1+int(said[0]):]
	if said[0] != kind[0] || subtle.ConstantTimeCompare(said[1+cryptogram:], sum) != 1 {
		return ErrForged
	}
	return nil
}

// without is objects as they were sent, but one. They have been parsed before.
func without(content []byte, tag uint32) (rest []byte) {
	for len(content) > 0 {
		got, _, after, err := cutTag(content)
		if err != nil {
			return rest
		}
		if _, after, err = cutValue(after); err != nil {
			return rest
		}
		if got != tag {
			rest = append(rest, content[:len(content)-len(after)]...)
		}
		content = after
	}
	return rest
}
