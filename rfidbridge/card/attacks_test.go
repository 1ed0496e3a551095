package card

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
)

// chip is the other end of the three authentications: a card, or who plays one.
type chip struct {
	key        Key
	rndA, rndB [blockSize]byte
	chained    bool
	last       [blockSize]byte
}

func newChip(k Key) *chip {
	c := &chip{key: k}
	_, _ = rand.Read(c.rndB[:])
	return c
}

func (c *chip) ask() []byte {
	secret := c.key.encrypt([blockSize]byte{}, c.rndB[:])
	copy(c.last[:], secret)
	return secret
}

// answer reads the token, and proves that it could. It reports whether whoever sent it
// has the key.
func (c *chip) answer(token []byte) (proof []byte, genuine bool) {
	var iv [blockSize]byte
	if c.chained {
		iv = c.last
	}
	plain := c.key.decrypt(iv, token)
	copy(c.rndA[:], plain)
	copy(c.last[:], token[blockSize:])
	return rotated(c.rndA[:]), bytes.Equal(plain[blockSize:], rotated(c.rndB[:]))
}

// opensEV2 carries out an authentication, and hands the card's last answer to spoil first.
func opensEV2(t *testing.T, ours Key, c *chip, spoil func([]byte) []byte) (*Session, error) {
	t.Helper()
	a := NewEV2(0, ours)
	if _, err := a.Ask(); err != nil {
		t.Fatal(err)
	}
	command, err := a.Reply(append(c.ask(), 0x91, 0xAF))
	if err != nil {
		t.Fatal(err)
	}
	proof, _ := c.answer(command[5 : 5+2*blockSize])
	plain := slices.Concat([]byte("TRAN"), proof, make([]byte, 12))
	return a.Open(spoil(append(c.key.encrypt([blockSize]byte{}, plain), 0x91, 0x00)))
}

func asItIs(b []byte) []byte { return b }

func newKey(t *testing.T) (k Key) {
	t.Helper()
	if _, err := rand.Read(k[:]); err != nil {
		t.Fatal(err)
	}
	return k
}

// The attack: a card that is a copy, and does not have the key.
func TestACardWithoutTheKeyOpensNoSession(t *testing.T) {
	k := newKey(t)
	if _, err := opensEV2(t, k, newChip(k), asItIs); err != nil {
		t.Fatal(err)
	}
	if s, err := opensEV2(t, k, newChip(newKey(t)), asItIs); !errors.Is(err, ErrForged) || s != nil {
		t.Errorf("EV2: a card with another key: %v", err)
	}
	ev1 := NewEV1(0, k)
	c := newChip(newKey(t))
	c.chained = true
	_, _ = ev1.Ask()
	command, err := ev1.Reply(append(c.ask(), 0x91, 0xAF))
	if err != nil {
		t.Fatal(err)
	}
	proof, _ := c.answer(command[5 : 5+2*blockSize])
	if _, err := ev1.Open(append(c.key.encrypt(c.last, proof), 0x91, 0x00)); !errors.Is(err, ErrForged) {
		t.Errorf("EV1: a card with another key: %v", err)
	}
}

// The three protocols with a card that has the key, in both directions: the card believes
// the reader, too.
func TestACardWithTheKeyIsBelievedAndBelieves(t *testing.T) {
	k := newKey(t)
	ev1, c := NewEV1(0, k), newChip(k)
	c.chained = true
	_, _ = ev1.Ask()
	command, err := ev1.Reply(append(c.ask(), 0x91, 0xAF))
	if err != nil {
		t.Fatal(err)
	}
	proof, genuine := c.answer(command[5 : 5+2*blockSize])
	if _, err := ev1.Open(append(c.key.encrypt(c.last, proof), 0x91, 0x00)); err != nil || !genuine {
		t.Errorf("EV1: %v, the card believes it: %t", err, genuine)
	}
	ultralight, c := NewUltralight(0, k), newChip(k)
	_, _ = ultralight.Ask()
	command, err = ultralight.Reply(append([]byte{ultralightMore}, c.ask()...))
	if err != nil {
		t.Fatal(err)
	}
	proof, genuine = c.answer(command[1:])
	signer, err := ultralight.Open(append([]byte{ultralightDone}, c.key.encrypt([blockSize]byte{}, proof)...))
	if err != nil || !genuine {
		t.Fatalf("Ultralight: %v, the card believes it: %t", err, genuine)
	}
	card := &Signer{key: signer.key}
	if got, err := card.Check(signer.Sign([]byte{0x30, 0x04})); err != nil || !bytes.Equal(got, []byte{0x30, 0x04}) {
		t.Errorf("the card reads %X, %v", got, err)
	}
	answer := card.Sign([]byte("0123456789abcdef"))
	answer[3] ^= 1
	if _, err := signer.Check(answer); !errors.Is(err, ErrForged) {
		t.Errorf("an answer that was changed on its way: %v", err)
	}
}

// The attack: somebody between card and reader who changes a bit of the proof. And a card
// that is torn away.
func TestAProofThatWasChangedOpensNoSession(t *testing.T) {
	k := newKey(t)
	for i := range 2 * blockSize {
		if _, err := opensEV2(t, k, newChip(k), func(answer []byte) []byte {
			answer[i] ^= 0x80
			return answer
		}); !errors.Is(err, ErrForged) {
			t.Errorf("with byte %d changed: %v", i, err)
		}
	}
	for n := range 2*blockSize + 1 {
		if _, err := opensEV2(t, k, newChip(k), func(answer []byte) []byte { return answer[:n] }); err == nil {
			t.Errorf("a card torn away after %d bytes opens a session", n)
		}
	}
}

// The attack: the answers of an authentication that was overheard, shown to another.
func TestAnAuthenticationIsNotReplayed(t *testing.T) {
	k := newKey(t)
	c := newChip(k)
	overheard := append(c.ask(), 0x91, 0xAF)
	first := NewEV2(0, k)
	_, _ = first.Ask()
	command, err := first.Reply(overheard)
	if err != nil {
		t.Fatal(err)
	}
	proof, _ := c.answer(command[5 : 5+2*blockSize])
	last := append(k.encrypt([blockSize]byte{}, slices.Concat([]byte("TRAN"), proof, make([]byte, 12))), 0x91, 0x00)
	if _, err := first.Open(last); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Open(last); !errors.Is(err, errOrder) {
		t.Errorf("the same proof again: %v", err)
	}
	second := NewEV2(0, k)
	_, _ = second.Ask()
	if _, err := second.Reply(overheard); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Open(last); !errors.Is(err, ErrForged) {
		t.Errorf("the proof of another authentication: %v", err)
	}
	third := NewEV2(0, k)
	if _, err := third.Open(last); !errors.Is(err, errOrder) {
		t.Errorf("a proof that nobody asked for: %v", err)
	}
}

// The attack: card A is authenticated, and card B lies there for the next command. The
// reader's handle is the same, and the counter does not tell.
func TestACardThatWasSwappedWithinASessionIsNotBelieved(t *testing.T) {
	k := newKey(t)
	ours, err := opensEV2(t, k, newChip(k), asItIs)
	if err != nil {
		t.Fatal(err)
	}
	other, err := opensEV2(t, k, newChip(k), asItIs) // with the same key, even
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ours.AskUID(); err != nil {
		t.Fatal(err)
	}
	other.counter++
	secret := other.enc.encrypt(other.vector(0x5A, 0xA5), pad([]byte("another"), 0))
	mac := other.signature(0x00, secret)
	if _, err := ours.UID(slices.Concat(secret, mac[:], []byte{0x91, 0x00})); !errors.Is(err, ErrForged) {
		t.Errorf("the UID of another card: %v", err)
	}
	if _, err := ours.AskUID(); !errors.Is(err, errOrder) {
		t.Errorf("the session goes on afterwards: %v", err)
	}
}

// The attack: a SUN of one card with the MAC of another, another's counter, or a bit more.
func TestASUNThatWasChangedIsNotBelieved(t *testing.T) {
	file := newKey(t)
	s := SUN{UID: UID(b("04958CAA5C5E80")), Counter: 8}
	mac := truncate(s.macKey(file).CMAC(nil))
	if err := s.Verify(file, nil, mac); err != nil {
		t.Fatal(err)
	}
	for bit := range 64 {
		forged := mac
		forged[bit/8] ^= 1 << (bit % 8)
		if err := s.Verify(file, nil, forged); !errors.Is(err, ErrForged) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	for what, other := range map[string]SUN{
		"the next counter": {UID: s.UID, Counter: 9},
		"another card":     {UID: UID(b("04958CAA5C5E81")), Counter: 8},
	} {
		if err := other.Verify(file, nil, mac); !errors.Is(err, ErrForged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := s.Verify(newKey(t), nil, mac); !errors.Is(err, ErrForged) {
		t.Errorf("with another key: %v", err)
	}
	if err := s.Verify(file, []byte("more"), mac); !errors.Is(err, ErrForged) {
		t.Errorf("with an input that the card has not signed: %v", err)
	}
}

// What a card answers may be anything.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0x91, 0x00})
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xAF}, 34))
	f.Fuzz(func(t *testing.T, answer []byte) {
		k := Key{1}
		ev2, ev1, ultralight := NewEV2(0, k), NewEV1(0, k), NewUltralight(0, k)
		for _, ask := range []func() ([]byte, error){ev2.Ask, ev1.Ask, ultralight.Ask} {
			if _, err := ask(); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = ev2.Reply(answer)
		_, _ = ev1.Reply(answer)
		_, _ = ultralight.Reply(answer)
		if s, err := ev2.Open(answer); err == nil || s != nil {
			t.Error("EV2 opens")
		}
		if s, err := ev1.Open(answer); err == nil || s != nil {
			t.Error("EV1 opens")
		}
		if s, err := ultralight.Open(answer); err == nil || s != nil {
			t.Error("Ultralight opens")
		}
		s := &Session{}
		if _, err := s.UID(answer); err == nil {
			t.Error("an answer is believed")
		}
	})
}
