package kiosk

import (
	"errors"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// talk taps at a kiosk that carries commands to a card, and answers with what carries them.
func (m *machine) talk(product string, shown wire.Card, exchange func([]byte) []byte) wire.Verdict {
	m.Helper()
	t := m.newTap(product, shown)
	t.Exchange = true
	return m.goOn(t, m.send(t), exchange)
}

// goOn answers what a verdict asks for, until one asks for nothing.
func (m *machine) goOn(t wire.Tap, v wire.Verdict, exchange func([]byte) []byte) wire.Verdict {
	m.Helper()
	for n := 0; v.Outcome == wire.Asked; n++ {
		if n > 5 || v.Ask == nil || len(v.Ask.Command) == 0 {
			m.Fatalf("it asks %d times, at last %+v", n, v)
		}
		t.Answer = &wire.Answer{State: v.Ask.State, Card: exchange(v.Ask.Command)}
		v = m.send(t)
	}
	return v
}

// A card that can prove that it has its key pays what such a card may, whether it was made
// the holder's by that or by its message alone.
func TestACardProvesThatItHasItsKey(t *testing.T) {
	s := open(t)
	m, h, n := s.enrol("lobby"), s.holder(50*wallet.Unit), s.ntag(1)
	s.Products["bicycle"] = Product{Title: "A bicycle", Price: 30 * wallet.Unit}
	v := m.wants(m.talk("gate", message(n), n.Transmit), wire.Unknown, "")
	one, err := h.AddCard(t.Context(), h.wallet(), v.Claim, "")
	if err != nil || one.Tier != TierMutual {
		t.Fatalf("the card is %+v, %v", one, err)
	}
	m.wants(m.tap("bicycle", message(n)), wire.Refused, wire.TierLimit)
	m.resolve(wire.CapturePath, m.wants(m.talk("bicycle", message(n), n.Transmit), wire.Granted, ""), Captured)
	m.wants(m.tap("gate", message(n)), wire.Granted, "") // at a reader that carries no commands
	m.wants(m.tap("gate", wire.Card{UID: uidOf(t, n)}), wire.Refused, wire.ProofNeeded)
	if n.Failures() != 0 {
		t.Errorf("the card counts %d wrong tries", n.Failures())
	}
	h.has(20*wallet.Unit-wallet.Unit/10, wallet.Unit/10)
}

func uidOf(t *testing.T, n *virtual.NTAG) uid.UID {
	t.Helper()
	number := n.UID()
	u, err := uid.New(number[:])
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A kiosk whose answer was lost sends it again, and gets the same verdict.
func TestAProofMayBeSentAgain(t *testing.T) {
	s := open(t)
	m, h, n := s.enrol("lobby"), s.holder(wallet.Unit), s.ntag(1)
	h.claims(m, message(n))
	tap := m.newTap("gate", message(n))
	tap.Exchange = true
	v := m.send(tap)
	if again := m.send(tap); again.Outcome != wire.Asked || again.Ask.Command == nil {
		t.Fatalf("the first request again is %+v", again)
	}
	for v.Outcome == wire.Asked {
		tap.Answer = &wire.Answer{State: v.Ask.State, Card: n.Transmit(v.Ask.Command)}
		v = m.send(tap)
		again := m.send(tap)
		if again.Outcome != v.Outcome || again.Ask != nil && string(again.Ask.Command) != string(v.Ask.Command) {
			t.Fatalf("again it is %+v, at first %+v", again, v)
		}
	}
	m.wants(v, wire.Granted, "")
	h.has(wallet.Unit*9/10, wallet.Unit/10)
}

// The attack: a message that was read from a card in somebody's pocket is shown at a kiosk
// by something that does not have the card's key.
func TestAStolenMessageIsNoProof(t *testing.T) {
	s := open(t)
	m, h, n := s.enrol("lobby"), s.holder(wallet.Unit), s.ntag(1)
	h.claims(m, message(n))
	other := virtual.NewNTAG(n.UID(), card.Bolt(card.Key{9}, n.UID(), keyVersion).Keys, "")
	for name, exchange := range map[string]func([]byte) []byte{
		"another key":     other.Transmit,
		"nothing":         func([]byte) []byte { return nil },
		"success":         func([]byte) []byte { return []byte{0x91, 0x00} },
		"the same always": func([]byte) []byte { return append(make([]byte, 32), 0x91, 0x00) },
	} {
		if v := m.talk("gate", message(n), exchange); v.Outcome != wire.Refused || v.Reason != wire.Forged {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// The attack: the card is swapped for another one, also of this site, once it has shown its
// message.
func TestACardThatWasSwappedIsForged(t *testing.T) {
	s := open(t)
	m, h, n, other := s.enrol("lobby"), s.holder(wallet.Unit), s.ntag(1), s.ntag(2)
	h.claims(m, message(n))
	m.wants(m.talk("gate", message(n), other.Transmit), wire.Refused, wire.Forged)
	h.has(wallet.Unit, 0)
}

// The attack: what a card has answered once is played back, for another tap, at another
// kiosk, or later.
func TestAProofIsGoodForItsTapAlone(t *testing.T) {
	s := open(t)
	m, other, h, n := s.enrol("lobby"), s.enrol("gate"), s.holder(wallet.Unit), s.ntag(1)
	h.claims(m, message(n))
	tap := m.newTap("gate", message(n))
	tap.Exchange = true
	var said []wire.Answer
	v := m.send(tap)
	for v.Outcome == wire.Asked {
		said = append(said, wire.Answer{State: v.Ask.State, Card: n.Transmit(v.Ask.Command)})
		tap.Answer = &said[len(said)-1]
		v = m.send(tap)
	}
	m.resolve(wire.CapturePath, m.wants(v, wire.Granted, ""), Captured)
	last := said[len(said)-1]
	refused := func(name string, m *machine, tap wire.Tap) {
		t.Helper()
		tap.Answer = &last
		if v, err := m.Tap(t.Context(), m.authenticated(wire.TapPath, tap), tap); !errors.Is(err, ErrCode) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	fresh := m.newTap("gate", message(n))
	fresh.Exchange = true
	refused("another tap", m, fresh)
	refused("another kiosk", other, tap)
	v, n2 := m.send(fresh), 0
	for v.Outcome == wire.Asked && n2 < len(said) { // a new dialog, and the old answers
		fresh.Answer = &wire.Answer{State: v.Ask.State, Card: said[n2].Card}
		v = m.send(fresh)
		n2++
	}
	m.wants(v, wire.Refused, wire.Forged)
	s.clock.Advance(dialogLife + time.Second)
	refused("later", m, tap)
	h.has(wallet.Unit*9/10, 0)
}

// A card that says it can prove itself, and has no application of this site, is what its
// number is.
func TestAForeignCardIsNotChallenged(t *testing.T) {
	s := open(t)
	m, h := s.enrol("lobby"), s.holder(wallet.Unit)
	shown := numbered(t, 1)
	shown.Kind = card.KindDESFire
	asked := 0
	foreign := func([]byte) []byte { asked++; return []byte{0x91, 0xA0} } // application not found
	v := m.wants(m.talk("gate", shown, foreign), wire.Unknown, "")
	if one, err := h.AddCard(t.Context(), h.wallet(), v.Claim, ""); err != nil || one.Tier != TierUID {
		t.Fatalf("the card is %+v, %v", one, err)
	}
	m.wants(m.talk("gate", shown, foreign), wire.Granted, "")
	if asked != 1 {
		t.Errorf("it is asked %d times", asked)
	}
}
