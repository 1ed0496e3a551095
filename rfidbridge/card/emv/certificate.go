package emv

import (
	"bytes"
	"fmt"
	"time"
)

// Certificates is what a card has to show of itself.
type Certificates struct {
	PAN []byte // 5A, as the card has it: two digits a byte

	Issuer, IssuerRemainder, IssuerExponent []byte // 90, 92, 9F32
	Card, CardRemainder, CardExponent       []byte // 9F46, 9F48, 9F47
	Static                                  []byte // the data that the card's certificate vouches for
}

// Format keeps the card's number from being printed.
func (Certificates) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[certificates]")) }

// Formats of recovered certificates, and the lengths of what stands before the key.
const (
	formatIssuer = 0x02
	formatCard   = 0x04

	issuerHead = 14 // format 1, identifier 4, end 2, serial 3, hash 1, algorithm 1, sizes 2
	cardHead   = 20 // the same with the number in the identifier's place, 10
)

// Card is a card whose key the authority vouches for.
type Card struct{ key publicKey }

// Card follows the chain from the authority to the card at a time. ErrForged and ErrExpired
// say what is wrong with it, and the error never has the number in it.
func (a *Authority) Card(c Certificates, now time.Time) (*Card, error) {
	content, err := a.key.recover(c.Issuer, formatIssuer, c.IssuerRemainder, c.IssuerExponent)
	if err != nil {
		return nil, fmt.Errorf("the issuer's certificate: %w", err)
	}
	issuer, err := certified(content, issuerHead, c.IssuerRemainder, c.IssuerExponent, now)
	if err != nil {
		return nil, fmt.Errorf("the issuer's certificate: %w", err)
	}
	if !isPrefix(content[1:5], c.PAN) {
		return nil, fmt.Errorf("the issuer's certificate: %w: it is for other cards", ErrForged)
	}
	content, err = issuer.recover(c.Card, formatCard, c.CardRemainder, c.CardExponent, c.Static)
	if err != nil {
		return nil, fmt.Errorf("the card's certificate: %w", err)
	}
	defer clear(content) // the card's number is in it
	if !isNumber(content[1:11], c.PAN) {
		return nil, fmt.Errorf("the card's certificate: %w: it is for another card", ErrForged)
	}
	key, err := certified(content, cardHead, c.CardRemainder, c.CardExponent, now)
	if err != nil {
		return nil, fmt.Errorf("the card's certificate: %w", err)
	}
	return &Card{key}, nil
}

// certified reads the key that a certificate is about. The end of its modulus stands
// outside where the certificate has no room.
func certified(content []byte, head int, remainder, exponent []byte, now time.Time) (publicKey, error) {
	if len(content) < head {
		return publicKey{}, ErrForged
	}
	end := head - 9 // the month, then serial 3, hash 1, algorithm 1, sizes 2
	last, ok := lastMoment(content[end], content[end+1])
	if !ok || content[head-4] != 0x01 || content[head-3] != 0x01 { // SHA-1, RSA
		return publicKey{}, ErrForged
	}
	if !now.Before(last) {
		return publicKey{}, ErrExpired
	}
	size, room := int(content[head-2]), len(content)-head
	modulus := content[head:]
	if size < room {
		for _, filler := range modulus[size:] {
			if filler != 0xBB {
				return publicKey{}, ErrForged
			}
		}
		modulus = modulus[:size]
	}
	modulus = append(bytes.Clone(modulus), remainder...)
	if len(modulus) != size || len(exponent) != int(content[head-1]) {
		return publicKey{}, ErrForged
	}
	return newPublicKey(modulus, exponent)
}

// lastMoment is the end of a month that a certificate has as two bytes of digits, MMYY.
func lastMoment(month, year byte) (time.Time, bool) {
	m, y := digits(month), digits(year)
	if m < 1 || m > 12 || y < 0 {
		return time.Time{}, false
	}
	return time.Date(2000+y, time.Month(m)+1, 1, 0, 0, 0, 0, time.UTC), true
}

// digits is the value of two decimal digits, or -1.
func digits(b byte) int {
	if b>>4 > 9 || b&0x0F > 9 {
		return -1
	}
	return int(b>>4)*10 + int(b&0x0F)
}

// isPrefix reports whether a card's number begins with an issuer's identifier, 3 to 8 digits
// that are filled up with F.
func isPrefix(identifier, pan []byte) bool {
	n := 0
	for i := range 2 * len(identifier) {
		d := digitAt(identifier, i)
		if d == 0x0F {
			break
		}
		if d > 9 || i >= 2*len(pan) || digitAt(pan, i) != d {
			return false
		}
		n++
	}
	return n >= 3
}

// isNumber reports whether two numbers are the same but for the F at their ends.
func isNumber(a, b []byte) bool {
	for i := range 2 * max(len(a), len(b)) {
		if digitOr(a, i) != digitOr(b, i) {
			return false
		}
	}
	return true
}

// digitOr is a digit of a number, and F behind its end.
func digitOr(b []byte, i int) byte {
	if i >= 2*len(b) {
		return 0x0F
	}
	return digitAt(b, i)
}

func digitAt(b []byte, i int) byte {
	if i%2 == 0 {
		return b[i/2] >> 4
	}
	return b[i/2] & 0x0F
}
