package emv

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
)

// chain is a scheme of our own.
type chain struct{ *virtual.BankScheme }

var ourChain = sync.OnceValue(func() chain {
	made, err := virtual.NewBankScheme(rand.Reader)
	if err != nil {
		panic(err)
	}
	return chain{made}
})

const (
	ourPAN  = "5413330089020011"
	ourTail = "5F24032912315A085413330089020011" // static data
)

func (c chain) anchor(t testing.TB) *Authority {
	t.Helper()
	a, err := NewAuthority(c.RID, c.Index, c.Authority.N.Bytes(), virtual.BankExponent, c.Hash())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// certificates are those of a card that is good until the end of a month.
func (c chain) certificates(issuerEnd, cardEnd string) Certificates {
	got := Certificates{PAN: b(ourPAN), IssuerExponent: virtual.BankExponent, CardExponent: virtual.BankExponent, Static: b(ourTail)}
	got.Issuer, got.IssuerRemainder = virtual.BankCertify(c.Authority, c.Issuer, b("02 541333FF"+issuerEnd+"000001"))
	got.Card, got.CardRemainder = virtual.BankCertify(c.Issuer, c.Card, b("04 5413330089020011FFFF"+cardEnd+"000002"), got.Static)
	return got
}

func TestACardOfTheSchemeIsBelieved(t *testing.T) {
	c := ourChain()
	card, err := c.anchor(t).Card(c.certificates("1231", "1229"), whenValid)
	if err != nil {
		t.Fatal(err)
	}
	// fDDA: the terminal's number, amount and currency, and the card's own data.
	terminal := b("7FBC4049 000000000010 0978 01 A1B2C3D4 0000")
	signature := virtual.BankSign(c.Card, b("05 01 04 03112233"), terminal)
	got, err := card.Dynamic(signature, terminal)
	if err != nil || !bytes.Equal(got, b("03112233")) {
		t.Errorf("the card has said %X, %v", got, err)
	}
	terminal[9]++ // the attack: another amount
	if _, err := card.Dynamic(signature, terminal); !errors.Is(err, ErrForged) {
		t.Errorf("the signature of another amount: %v", err)
	}
}

// The attacks: certificates of another card, with other data, by another issuer, or of a
// card that is a copy of what it shows.
func TestACardThatNobodyVouchesForIsNotBelieved(t *testing.T) {
	c := ourChain()
	good := c.certificates("1231", "1229")
	other, err := rsa.GenerateKey(rand.Reader, 1408)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*Certificates){
		"another number":          func(o *Certificates) { o.PAN = b("5413330089020012") },
		"a number of other cards": func(o *Certificates) { o.PAN = b("4761739001010119") },
		"other static data":       func(o *Certificates) { o.Static = b("5F24032912315A085413330089020012") },
		"another issuer": func(o *Certificates) {
			o.Issuer, o.IssuerRemainder = virtual.BankCertify(c.Authority, other, b("02 541333FF1231000001"))
		},
		"another authority": func(o *Certificates) {
			o.Issuer, o.IssuerRemainder = virtual.BankCertify(other, c.Issuer, b("02 541333FF1231000001"))
		},
		"a changed exponent":   func(o *Certificates) { o.CardExponent = []byte{0x03} },
		"a remainder cut":      func(o *Certificates) { o.CardRemainder = o.CardRemainder[1:] },
		"an issuer for a card": func(o *Certificates) { o.Card, o.CardRemainder = o.Issuer, o.IssuerRemainder },
		"no certificates":      func(o *Certificates) { *o = Certificates{PAN: o.PAN} },
		"an identifier of 2 digit": func(o *Certificates) {
			o.Issuer, o.IssuerRemainder = virtual.BankCertify(c.Authority, c.Issuer, b("02 54FFFFFF1231000001"))
		},
	} {
		forged := good
		change(&forged)
		_, err := c.anchor(t).Card(forged, whenValid)
		if !errors.Is(err, ErrForged) {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && strings.Contains(err.Error(), "0089") {
			t.Errorf("%s: the error has the card's number in it: %v", what, err)
		}
	}
	if text := fmt.Sprintf("%v %+v %x", good, good, good); strings.Contains(text, "5413") || strings.Contains(text, "84 19") {
		t.Errorf("the card's number is printed: %s", text)
	}
}

func TestACertificateIsGoodUntilTheEndOfItsMonth(t *testing.T) {
	c := ourChain()
	for at, want := range map[time.Time]error{
		time.Date(2029, time.December, 31, 23, 59, 59, 0, time.UTC): nil,
		time.Date(2030, time.January, 1, 0, 0, 0, 0, time.UTC):      ErrExpired,
	} {
		for what, certificates := range map[string]Certificates{
			"the card's": c.certificates("1231", "1229"), "the issuer's": c.certificates("1229", "1231"),
		} {
			if _, err := c.anchor(t).Card(certificates, at); !errors.Is(err, want) {
				t.Errorf("%s, at %v: %v", what, at, err)
			}
		}
	}
	for _, end := range []string{"0029", "1329", "1A29", "12F9"} {
		if _, err := c.anchor(t).Card(c.certificates("1231", end), whenValid); !errors.Is(err, ErrForged) {
			t.Errorf("the end %s: %v", end, err)
		}
	}
}

func TestDataObjectsAreParsed(t *testing.T) {
	got, err := Parse(b("00 6F1A 8407A0000000031010 A50F 9F1101 05 5F2D04 656E6672 BF0C00 00 5A 81 02 1234"))
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[uint32]string{0x84: "A0000000031010", 0x9F11: "05", 0x5F2D: "656E6672", 0xBF0C: "", 0x5A: "1234"} {
		if value := Find(got, tag); value == nil || !bytes.Equal(value, b(want)) {
			t.Errorf("%X is %X", tag, value)
		}
	}
	if Find(got, 0x57) != nil {
		t.Error("there is an object that is not there")
	}
	for _, bad := range []string{"5A", "5A02FF", "5A80", "5A84000000010F", "9F", "9F81", "9F8181818100", "6F035A02", "5A8201"} {
		if got, err := Parse(b(bad)); err == nil {
			t.Errorf("%s reads as %v", bad, got)
		}
	}
	if _, err := Parse(bytes.Repeat(b("5A00"), mostObjects+1)); err == nil {
		t.Error("too many objects are taken")
	}
	deep := []byte{}
	for range mostDepth + 2 {
		deep = append([]byte{0x6F, byte(len(deep))}, deep...)
	}
	if _, err := Parse(deep); err == nil {
		t.Error("templates within templates without end are taken")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(b("6F1A8407A0000000031010A50F9F1101055F2D04656E6672BF0C00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := Parse(data)
		if err != nil && found != nil || len(found) > mostObjects {
			t.Errorf("%d objects, %v", len(found), err)
		}
	})
}

func FuzzCertificates(f *testing.F) {
	f.Add([]byte{1}, []byte{2}, []byte{3})
	f.Fuzz(func(t *testing.T, issuer, card, signature []byte) {
		if _, err := ourChain().anchor(t).Card(Certificates{PAN: b(ourPAN), Issuer: issuer, Card: card, IssuerExponent: virtual.BankExponent, CardExponent: virtual.BankExponent}, whenValid); err == nil {
			t.Error("a chain is believed")
		}
		key, err := newPublicKey(ourChain().Card.N.Bytes(), virtual.BankExponent)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (&Card{key}).Dynamic(signature, nil); err == nil {
			t.Error("a signature is believed")
		}
	})
}
