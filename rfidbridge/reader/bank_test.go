package reader

import (
	"bytes"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/emv"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc/pcsctest"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

var bankScheme = sync.OnceValues(func() (*virtual.BankScheme, error) { return virtual.NewBankScheme(rand.Reader) })

func scheme(t testing.TB) *virtual.BankScheme {
	t.Helper()
	s, err := bankScheme()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func bankTerminal(t testing.TB) *emv.Terminal {
	t.Helper()
	s := scheme(t)
	authority, err := emv.NewAuthority(s.RID, s.Index, s.Authority.N.Bytes(), virtual.BankExponent, s.Hash())
	if err != nil {
		t.Fatal(err)
	}
	return &emv.Terminal{
		Authorities: []*emv.Authority{authority}, Key: bytes.Repeat([]byte{7}, emv.KeySize), Currency: emv.NoCurrency,
		Now: time.Now, Random: rand.Reader,
	}
}

// bank shows bank cards to a kiosk, and returns what it is told of each.
func bank(t *testing.T, terminal *emv.Terminal, cards ...virtual.Transmitter) (told []event) {
	t.Helper()
	d := pcsctest.Start(t, 6)
	d.Plug(acr)
	l := listen(t, PCSC{Socket: d.Socket(), BankCards: terminal})
	l.wants(t, "well", acr)
	for _, c := range cards {
		d.Insert(acr, lying{c})
		told = append(told, <-l)
		d.Insert(acr, nil)
		l.wants(t, "gone", acr)
	}
	return told
}

func TestABankCardIsATokenWhereItIsTaken(t *testing.T) {
	mine := virtual.NewBankCard(scheme(t), virtual.BankCardOptions{})
	other := virtual.NewBankCard(scheme(t), virtual.BankCardOptions{Number: "5413330089020029", Proof: virtual.CombinedProof})
	told := bank(t, bankTerminal(t), mine, other, mine, ntag())
	for i, e := range told[:3] {
		if e.what != "arrived" || !e.shown.Bank || e.shown.Token == [32]byte{} || e.shown.UID != (wire.Card{}).UID {
			t.Errorf("card %d is told of as %v", i, e)
		}
	}
	if told[0].shown.Token == told[1].shown.Token || told[0].shown.Token != told[2].shown.Token {
		t.Error("a token is not one card's")
	}
	genuine(t, told[3].shown) // this site's own cards are what they were
	if e := bank(t, nil, mine)[0]; e.what != "arrived" || e.shown.Bank || e.shown.UID == (wire.Card{}).UID {
		t.Errorf("where none are taken it is told of as %v", e)
	}
}

// The attack: a bank card that lies, or that is over, would pay as a card by its number, of
// which nothing has to be proved.
func TestABankCardThatLiesIsNoCard(t *testing.T) {
	for _, c := range []struct {
		options virtual.BankCardOptions
		want    error
	}{
		{virtual.BankCardOptions{WrongSignature: true}, emv.ErrForged},
		{virtual.BankCardOptions{CertifiedNumber: "5413330089020029"}, emv.ErrForged},
		{virtual.BankCardOptions{Expires: "200131"}, emv.ErrExpired},
	} {
		if e := bank(t, bankTerminal(t), virtual.NewBankCard(scheme(t), c.options))[0]; e.what != "unread" || !errors.Is(e.err, c.want) {
			t.Errorf("%+v is told of as %v", c.options, e)
		}
	}
	silent := virtual.NewBankCard(scheme(t), virtual.BankCardOptions{Proof: virtual.NoProof})
	if e := bank(t, bankTerminal(t), silent)[0]; e.what != "arrived" || e.shown.Bank {
		t.Errorf("a card that proves nothing is told of as %v", e)
	}
}
