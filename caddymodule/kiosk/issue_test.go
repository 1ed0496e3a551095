package kiosk

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/issue"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

const shownAddress = "https://shop.example" + wire.TapURLPath

func (m *machine) newIssue(task wire.Task, kind card.Kind, number card.UID) wire.Issue {
	m.Helper()
	return wire.Issue{ID: ledgertest.NewID(m, m.clock.Now), Task: task, Kind: kind, UID: number[:]}
}

func (m *machine) askIssue(i wire.Issue) (wire.Issued, error) {
	m.Helper()
	return m.Issue(m.Context(), m.authenticated(wire.CardPath, i), i, shownAddress)
}

// issues carries a run to its end.
func (m *machine) issues(task wire.Task, kind card.Kind, number card.UID, to func([]byte) []byte) wire.Issued {
	m.Helper()
	i := m.newIssue(task, kind, number)
	for range 200 {
		next, err := m.askIssue(i)
		if err != nil {
			m.Fatal(err)
		}
		if next.Outcome != wire.Asked {
			return next
		}
		i.Answer = &wire.Answer{State: next.Ask.State, Card: to(next.Ask.Command)}
	}
	m.Fatal("it asks without end")
	return wire.Issued{}
}

func (m *machine) issued(task wire.Task, kind card.Kind, number card.UID, to func([]byte) []byte) {
	m.Helper()
	if got := m.issues(task, kind, number, to); got.Outcome != wire.Done {
		m.Fatalf("%s %s: %s, %s", task, kind, got.Outcome, got.Problem)
	}
}

var blankNumber = card.UID{0x04, 7, 7, 7, 7, 7, 7}

func blankNTAG() *virtual.NTAG { return virtual.FactoryNTAG(blankNumber, [card.SignatureSize]byte{}) }

// read is what a reader is shown by an NTAG: its message.
func read(t *testing.T, n *virtual.NTAG) wire.Card {
	t.Helper()
	n.Reset()
	r, err := issue.Inspect(card.KindNTAG424, func(command []byte) ([]byte, error) { return n.Transmit(command), nil })
	if err != nil || !r.SUN || r.Address != shownAddress {
		t.Fatalf("it shows %q, %v", r.Address, err)
	}
	return message(n)
}

// A blank card of each kind is personalised, claimed, and pays with the proof that it can
// give; made blank, it pays nothing.
func TestACardIsIssuedAndPays(t *testing.T) {
	s := open(t)
	desk, gate, h := s.enrolAs("desk", true), s.enrol("gate"), s.holder(10*wallet.Unit)
	ntag, desfire, ultralight := blankNTAG(), virtual.NewDESFire(card.UID{0x04, 8, 8, 8, 8, 8, 8}, virtual.EV2), virtual.NewUltralight(card.UID{0x04, 9, 9, 9, 9, 9, 9})
	for _, c := range []struct {
		kind   card.Kind
		number card.UID
		to     func([]byte) []byte
		shown  func() wire.Card
	}{
		{card.KindNTAG424, ntag.UID(), ntag.Transmit, func() wire.Card { return read(t, ntag) }},
		{card.KindDESFire, desfire.UID(), desfire.Transmit, func() wire.Card { return byUID(t, desfire.UID(), card.KindDESFire) }},
		{card.KindUltralight, ultralight.UID(), ultralight.Frame, func() wire.Card { return byUID(t, ultralight.UID(), card.KindUltralight) }},
	} {
		desk.issued(wire.Personalise, c.kind, c.number, c.to)
		v := gate.talk("gate", c.shown(), c.to)
		if c.kind != card.KindNTAG424 {
			v = gate.wants(v, wire.Unknown, "")
		}
		one, err := h.AddCard(t.Context(), h.wallet(), v.Claim, "")
		if err != nil {
			t.Fatalf("%s: %v", c.kind, err)
		}
		v = gate.wants(gate.talk("gate", c.shown(), c.to), wire.Granted, "")
		gate.resolve(wire.CapturePath, v, Captured)
		if err := s.RemoveCard(t.Context(), h.wallet().ID, one.ID); err != nil {
			t.Fatal(err)
		}
		desk.issued(wire.Reset, c.kind, c.number, c.to)
	}
	h.has(10*wallet.Unit-3*wallet.Unit/10, 0)
	if n := ntag.Failures() + desfire.Failures() + ultralight.Failures(); n > 0 {
		t.Errorf("the cards count %d wrong tries", n)
	}
}

func byUID(t *testing.T, number card.UID, kind card.Kind) wire.Card {
	t.Helper()
	u, err := uid.New(number[:])
	if err != nil {
		t.Fatal(err)
	}
	return wire.Card{UID: u, Kind: kind}
}

// The attack: any kiosk has cards made, or learns the keys of one by playing it.
func TestAKioskIssuesCardsOnlyWhereTheOperatorHasSaidSo(t *testing.T) {
	s := open(t)
	m := s.enrol("gate")
	for _, task := range []wire.Task{wire.Personalise, wire.Reset} {
		if got, err := m.askIssue(m.newIssue(task, card.KindNTAG424, blankNumber)); !errors.Is(err, ErrNotIssuer) || got.Ask != nil {
			t.Errorf("%s: %+v, %v", task, got, err)
		}
	}
	desk := s.enrolAs("desk", true)
	if _, err := desk.askIssue(desk.newIssue(wire.Personalise, card.KindNTAG424, blankNumber)); err != nil {
		t.Errorf("the issuing one: %v", err)
	}
	desk = s.enrol("desk") // by another code, which does not say so
	if _, err := desk.askIssue(desk.newIssue(wire.Personalise, card.KindNTAG424, blankNumber)); !errors.Is(err, ErrNotIssuer) {
		t.Errorf("the one that has its name now: %v", err)
	}
}

// The attack: what was sealed for one run is used in another, at another kiosk, later, or
// once the card has been made blank.
func TestWhatWasSealedForARunIsGoodForNoOther(t *testing.T) {
	s := open(t)
	desk, other := s.enrolAs("desk", true), s.enrolAs("other", true)
	begin := func() wire.Issue {
		i := desk.newIssue(wire.Personalise, card.KindNTAG424, blankNumber)
		next, err := desk.askIssue(i)
		if err != nil || next.Outcome != wire.Asked {
			t.Fatalf("%+v, %v", next, err)
		}
		i.Answer = &wire.Answer{State: next.Ask.State, Card: []byte{0x90, 0x00}}
		return i
	}
	for name, wrong := range map[string]func(i *wire.Issue) *machine{
		"at another kiosk":  func(*wire.Issue) *machine { return other },
		"in another run":    func(i *wire.Issue) *machine { i.ID = ledgertest.NewID(t, s.clock.Now); return desk },
		"for another task":  func(i *wire.Issue) *machine { i.Task = wire.Reset; return desk },
		"of another kind":   func(i *wire.Issue) *machine { i.Kind = card.KindDESFire; return desk },
		"for another card":  func(i *wire.Issue) *machine { i.UID = append(wire.Hex{}, 4, 1, 2, 3, 4, 5, 6); return desk },
		"changed":           func(i *wire.Issue) *machine { i.Answer.State = i.Answer.State[1:]; return desk },
		"of a tap's dialog": func(i *wire.Issue) *machine { i.Answer.State = s.seal([]byte(`{}`), dialogSeal+"desk"); return desk },
		"later":             func(*wire.Issue) *machine { s.clock.Advance(2 * dialogLife); return desk },
		"after the card was made blank": func(*wire.Issue) *machine {
			desk.issued(wire.Reset, card.KindNTAG424, blankNumber, blankNTAG().Transmit)
			return desk
		},
	} {
		i := begin()
		if next, err := wrong(&i).askIssue(i); !errors.Is(err, ErrCode) || next.Ask != nil {
			t.Errorf("%s: %+v, %v", name, next, err)
		}
	}
	i := begin()
	first, err1 := desk.askIssue(i)
	again, err2 := desk.askIssue(i)
	if err1 != nil || err2 != nil || string(first.Ask.Command) != string(again.Ask.Command) {
		t.Errorf("the same again: %v, %v", err1, err2)
	}
}

// The attack: an issuing kiosk that was stolen plays a blank card of a customer's number, to
// be given the keys of the customer's card.
func TestACardOfAWalletIsNotIssuedAgain(t *testing.T) {
	s := open(t)
	desk, h, n := s.enrolAs("desk", true), s.holder(wallet.Unit), blankNTAG()
	desk.issued(wire.Personalise, card.KindNTAG424, blankNumber, n.Transmit)
	one := h.claims(desk, read(t, n))
	for _, task := range []wire.Task{wire.Personalise, wire.Reset} {
		got, err := desk.askIssue(desk.newIssue(task, card.KindNTAG424, blankNumber))
		if err != nil || got.Outcome != wire.Refused || got.Ask != nil || !strings.Contains(got.Problem, "belongs to a wallet") {
			t.Errorf("%s: %+v, %v", task, got, err)
		}
	}
	if err := s.RemoveCard(t.Context(), h.wallet().ID, one.ID); err != nil {
		t.Fatal(err)
	}
	desk.issued(wire.Reset, card.KindNTAG424, blankNumber, n.Transmit)
}

// The attack: messages that a card has signed before it was made blank, whose counters its
// new owner has not reached yet.
func TestWhatACardHasSignedIsWorthNothingOnceItIsIssuedAgain(t *testing.T) {
	s := open(t)
	desk, h, n := s.enrolAs("desk", true), s.holder(wallet.Unit), blankNTAG()
	desk.issued(wire.Personalise, card.KindNTAG424, blankNumber, n.Transmit)
	var old wire.Card
	for range 9 {
		old = read(t, n)
	}
	desk.issued(wire.Reset, card.KindNTAG424, blankNumber, n.Transmit)
	desk.issued(wire.Personalise, card.KindNTAG424, blankNumber, n.Transmit)
	desk.wants(desk.tap("gate", old), wire.Refused, wire.Forged) // nobody's card
	h.claims(desk, read(t, n))
	desk.wants(desk.tap("gate", old), wire.Refused, wire.Forged)
	desk.wants(desk.tap("gate", read(t, n)), wire.Granted, "")
	h.has(wallet.Unit*9/10, wallet.Unit/10)
}

// The attack: the number of a card that was issued and nobody has claimed yet is copied, and
// the copy claimed.
func TestACardThatWasIssuedIsClaimedByWhatItProves(t *testing.T) {
	s := open(t)
	desk, d := s.enrolAs("desk", true), virtual.NewDESFire(blankNumber, virtual.EV2)
	copied := byUID(t, blankNumber, "")
	desk.wants(desk.tap("gate", copied), wire.Unknown, "")
	desk.issued(wire.Personalise, card.KindDESFire, blankNumber, d.Transmit)
	desk.wants(desk.tap("gate", copied), wire.Refused, wire.ProofNeeded)
	desk.wants(desk.talk("gate", byUID(t, blankNumber, card.KindDESFire), d.Transmit), wire.Unknown, "")
	desk.issued(wire.Reset, card.KindDESFire, blankNumber, d.Transmit)
	desk.wants(desk.tap("gate", copied), wire.Unknown, "")
}

// The attack: a card of another site is laid down until it locks.
func TestAForeignCardIsTriedOnceInARun(t *testing.T) {
	s := open(t)
	desk := s.enrolAs("desk", true)
	foreign := virtual.NewDESFire(blankNumber, virtual.EV3)
	foreign.Install(card.Application, card.Key{1}, card.Key{2}, card.Key{3})
	for n := 1; n <= 3; n++ {
		got := desk.issues(wire.Personalise, card.KindDESFire, blankNumber, foreign.Transmit)
		if got.Outcome != wire.Refused || !strings.Contains(got.Problem, "somebody else's keys") {
			t.Errorf("it is %s: %s", got.Outcome, got.Problem)
		}
		if foreign.Failures() > n {
			t.Fatalf("in %d runs it is tried with %d keys", n, foreign.Failures())
		}
	}
	foreign = virtual.NewDESFire(blankNumber, virtual.EV3)
	foreign.Install(card.Application, card.Key{}, card.Key{}, card.Key{})
	got := desk.issues(wire.Reset, card.KindDESFire, card.UID{0x04, 1, 1, 1, 1, 1, 1}, foreign.Transmit)
	if got.Outcome != wire.Refused {
		t.Errorf("another card than it says is %s", got.Outcome)
	}
}

func TestAnIssueThatMakesNoSenseIsRefused(t *testing.T) {
	s := open(t)
	desk := s.enrolAs("desk", true)
	for name, wrong := range map[string]func(i *wire.Issue){
		"no id":                  func(i *wire.Issue) { i.ID = wallet.OpID{} },
		"no number":              func(i *wire.Issue) { i.UID = nil },
		"a number of four bytes": func(i *wire.Issue) { i.UID = i.UID[:4] },
		"no task":                func(i *wire.Issue) { i.Task = "" },
		"another task":           func(i *wire.Issue) { i.Task = "clone" },
		"no kind":                func(i *wire.Issue) { i.Kind = "" },
		"another kind":           func(i *wire.Issue) { i.Kind = "classic" },
	} {
		i := desk.newIssue(wire.Personalise, card.KindNTAG424, blankNumber)
		wrong(&i)
		if got, err := desk.askIssue(i); !errors.Is(err, ErrInvalid) || got.Ask != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	i := desk.newIssue(wire.Personalise, card.KindUltralight, blankNumber)
	for begun := time.Now(); ; {
		next, err := desk.askIssue(i)
		if err != nil {
			t.Fatal(err)
		}
		if next.Outcome != wire.Asked {
			break
		}
		if time.Since(begun) > 5*time.Second {
			t.Fatal("a card that says nothing is asked without end")
		}
		i.Answer = &wire.Answer{State: next.Ask.State}
	}
}
