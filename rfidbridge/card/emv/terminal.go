package emv

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// Terminal finds out which bank card is shown, and has it prove that it is the one. It does
// not change while it is used, and is safe for concurrent use.
type Terminal struct {
	Authorities []*Authority     // of the schemes whose cards are taken
	Key         []byte           // of the tokens, KeySize at least
	Country     [2]byte          // where it stands: ISO 3166 in decimal digits; zero: not told
	Currency    [2]byte          // of the amount of zero: ISO 4217 in decimal digits
	Now         func() time.Time // against which cards and certificates expire
	Random      io.Reader        // of the challenges: cryptographically secure
}

// NoCurrency is the code of no currency at all.
var NoCurrency = [2]byte{0x09, 0x99}

// Format keeps the key from being printed.
func (*Terminal) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[terminal]") }

var errKey = fmt.Errorf("the key of bank cards' tokens needs %d bytes at least", KeySize)

// Token carries out one transaction of nothing with the card that exchange reaches, up to
// the card's signature, and returns what stands for the card then. At most 20 commands are
// sent. The answers of exchange are overwritten before it returns.
//
// ErrNoBankCard where the card is another kind's, ErrUnproven where it signs nothing,
// ErrForged, ErrExpired; else what exchange has returned, or what does not read. No error
// has anything of the card in it.
func (t *Terminal) Token(exchange card.Exchange) (Token, error) {
	if len(t.Key) < KeySize {
		return Token{}, errKey
	}
	c := &conversation{exchange: exchange}
	defer c.wipe()
	name, pdol, err := t.choose(c)
	if err != nil {
		return Token{}, err
	}
	own, err := t.tells()
	if err != nil {
		return Token{}, err
	}
	s, err := c.read(pdol, own)
	if err != nil {
		return Token{}, err
	}
	defer clear(s.static)
	certified, err := t.certified(s, [5]byte(name))
	if err != nil {
		return Token{}, err
	}
	if err := certified.prove(c, s, own); err != nil {
		return Token{}, err
	}
	identity, err := s.identity()
	defer clear(identity)
	if err != nil {
		return Token{}, err
	}
	return token(t.Key, identity), nil
}

var errExpires = errors.New("the card does not say until when it is good")

// certified follows the chain of certificates to the card's key.
func (t *Terminal) certified(s *shown, rid [5]byte) (*Card, error) {
	index, certificate := s.find(tagAuthorityIndex), s.find(tagCard)
	if len(index) != 1 || certificate == nil {
		return nil, ErrUnproven
	}
	var authority *Authority
	for _, known := range t.Authorities {
		if known.RID == rid && known.Index == index[0] {
			authority = known
		}
	}
	if authority == nil {
		return nil, fmt.Errorf("%w: its scheme's key %02X is not known here", ErrUnproven, index[0])
	}
	certificates := Certificates{
		PAN:    s.pan(),
		Issuer: s.find(tagIssuer), IssuerRemainder: s.find(tagIssuerRemainder), IssuerExponent: s.find(tagIssuerExponent),
		Card: certificate, CardRemainder: s.find(tagCardRemainder), CardExponent: s.find(tagCardExponent),
		Static: s.static,
	}
	defer clear(certificates.PAN)
	over, ok := dateOf(s.find(tagExpires))
	if !ok {
		return nil, errExpires
	}
	now := t.Now()
	if !now.Before(over) {
		return nil, ErrExpired
	}
	return authority.Card(certificates, now)
}
