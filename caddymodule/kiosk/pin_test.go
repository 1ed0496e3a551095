package kiosk

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const rightPIN = "4711"

// hasPIN sets a PIN, for the card's holder.
func (h *holder) hasPIN(one Card, digits wire.PIN, above wallet.Amount) {
	h.Helper()
	if _, err := h.ChangeCard(h.Context(), h.id, one.ID, func(one *Card) error { return h.SetPIN(one, digits, above) }); err != nil {
		h.Fatal(err)
	}
}

func (h *holder) card(id string) Card {
	h.Helper()
	one, _, err := h.loadCard(h.Context(), h.id, id)
	if err != nil {
		h.Fatal(err)
	}
	return one
}

// tapAsked taps at a kiosk that can ask for a PIN, and is asked.
func (m *machine) tapAsked(product string, shown wire.Card) (wire.Tap, wire.Ask) {
	m.Helper()
	t := m.newTap(product, shown)
	t.PINPad = true
	return t, m.asked(m.send(t), false)
}

func (m *machine) asked(v wire.Verdict, wrong bool) wire.Ask {
	m.Helper()
	if v.Outcome != wire.Asked || v.Reason != "" || v.Ask == nil || !v.Ask.PIN || v.Ask.Wrong != wrong || v.Ask.Command != nil || v.Grant != "" {
		m.Fatalf("the verdict is %+v, want a PIN to be asked for", v)
	}
	return *v.Ask
}

// enter sends a tap again with a PIN.
func (m *machine) enter(t wire.Tap, ask wire.Ask, digits wire.PIN) wire.Verdict {
	m.Helper()
	t.Answer = &wire.Answer{State: ask.State, PIN: digits}
	return m.send(t)
}

// Small sums are paid without a PIN, until they come to a large one.
func TestACardWantsItsPINAboveASum(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
	shown := numbered(t, 1)
	one := h.claims(m, shown)
	h.hasPIN(one, rightPIN, wallet.Unit)
	m.wants(m.tap("coffee", shown), wire.Granted, "")
	tap, ask := m.tapAsked("gate", shown)
	h.has(9*wallet.Unit, wallet.Unit)
	m.wants(m.enter(tap, ask, rightPIN), wire.Granted, "")
	m.wants(m.enter(tap, ask, rightPIN), wire.Granted, "") // the answer was lost
	s.clock.Advance(s.Guard)
	for range 10 {
		v := m.wants(m.tap("gate", shown), wire.Granted, "")
		m.resolve(wire.CapturePath, v, Captured)
		s.clock.Advance(s.Guard)
	}
	_, _ = m.tapAsked("gate", shown)
	s.clock.Advance(12 * time.Hour)
	m.wants(m.tap("coffee", shown), wire.Granted, "") // another day
	h.hasPIN(one, "", 0)                              // at each tap
	tap, ask = m.tapAsked("gate", shown)
	m.wants(m.enter(tap, ask, rightPIN), wire.Granted, "")
}

// What was not handed out has not been paid without a PIN either.
func TestWhatGoesBackIsPaidWithoutNoPIN(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
	shown := numbered(t, 1)
	h.hasPIN(h.claims(m, shown), rightPIN, wallet.Unit)
	for range 3 {
		m.resolve(wire.ReleasePath, m.wants(m.tap("coffee", shown), wire.Granted, ""), Released)
	}
	m.wants(m.tap("coffee", shown), wire.Granted, "")
}

// A kiosk that has nobody who could enter a PIN says so, and the card is what it was.
func TestAKioskThatCannotAskSaysSo(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
	n := s.ntag(1)
	h.hasPIN(h.claims(m, message(n)), rightPIN, 0)
	for range 5 {
		m.wants(m.tap("gate", message(n)), wire.Refused, wire.PINNeeded)
	}
	tap, ask := m.tapAsked("gate", message(n))
	m.wants(m.enter(tap, ask, rightPIN), wire.Granted, "")
}

// A card that signs shows its message once, and may be taken away before the PIN is entered.
func TestACardIsReadOnceForItsPIN(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
	n := s.ntag(1)
	h.hasPIN(h.claims(m, message(n)), rightPIN, 0)
	shown := message(n)
	tap, _ := m.tapAsked("gate", shown)
	ask := m.asked(m.send(tap), false) // the answer was lost
	m.wants(m.tap("gate", shown), wire.Refused, wire.Replayed)
	ask = m.asked(m.enter(tap, ask, "1112"), true)
	m.wants(m.enter(tap, ask, rightPIN), wire.Granted, "")
	m.wants(m.tap("gate", shown), wire.Refused, wire.Replayed)
	if one := h.card(h.cards()[0].ID); one.PIN.Wrong != 0 || one.Asking.Tap != (wallet.OpID{}) {
		t.Errorf("the card is %+v", one)
	}
	s.clock.Advance(s.Guard)
	first, firstAsk := m.tapAsked("gate", message(n))
	later, laterAsk := m.tapAsked("coffee", message(n)) // somebody went away, and somebody came
	m.wants(m.enter(first, firstAsk, rightPIN), wire.Refused, wire.Replayed)
	m.wants(m.enter(later, laterAsk, rightPIN), wire.Granted, "")
}

func (h *holder) cards() []Card {
	h.Helper()
	all, err := h.Cards(h.Context(), h.id)
	if err != nil {
		h.Fatal(err)
	}
	return all
}

// The attack: a thief tries PINs at many kiosks at the same instant.
func TestAPINIsGuessedThreeTimesAtMost(t *testing.T) {
	s := open(t)
	h := s.holder(10 * wallet.Unit)
	shown := numbered(t, 1)
	var machines []*machine
	for i := range 8 {
		machines = append(machines, s.enrol(fmt.Sprintf("kiosk-%d", i)))
	}
	one := h.claims(machines[0], shown)
	h.hasPIN(one, rightPIN, 0)
	taps, verdicts, errs := make([]wire.Tap, len(machines)), make([]wire.Verdict, len(machines)), make([]error, len(machines))
	kiosks := make([]Kiosk, len(machines))
	for i, m := range machines {
		var ask wire.Ask
		taps[i], ask = m.tapAsked("gate", shown)
		taps[i].Answer = &wire.Answer{State: ask.State, PIN: wire.PIN(fmt.Sprintf("90%02d", i))}
		kiosks[i] = m.authenticated(wire.TapPath, taps[i])
	}
	var all sync.WaitGroup
	for i := range machines {
		all.Go(func() { verdicts[i], errs[i] = s.Tap(t.Context(), kiosks[i], taps[i]) })
	}
	all.Wait()
	told := 0
	for i, v := range verdicts {
		switch {
		case errors.Is(errs[i], ErrBusy) && v.Outcome == wire.Refused && v.Reason == "": // it learns nothing
		case errs[i] != nil:
			t.Error(errs[i])
		case v.Outcome == wire.Asked:
			told++
		default:
			machines[i].wants(v, wire.Refused, wire.PINBlocked)
		}
	}
	if told > mostWrong-1 {
		t.Errorf("%d guesses were told to be wrong before the card was blocked, want %d", told, mostWrong-1)
	}
	for h.card(one.ID).PIN.Wrong < mostWrong { // all were busy
		tap, ask := machines[0].tapAsked("gate", shown)
		machines[0].enter(tap, ask, "9099")
	}
	taps[0].Answer.PIN = rightPIN
	machines[0].wants(machines[0].send(taps[0]), wire.Refused, wire.PINBlocked)
	machines[0].wants(machines[0].tap("gate", shown), wire.Refused, wire.PINBlocked)
	if after := h.card(one.ID); after.PIN.Wrong != mostWrong || !after.PINBlocked() || after.Spent != 0 {
		t.Errorf("the card has %d wrong, and is %+v", after.PIN.Wrong, after)
	}
	h.has(10*wallet.Unit, 0)
}

// The attack: one sealed state is sent with one PIN after another. Each counts, and the same
// one again, as of a kiosk whose answer was lost, does not.
func TestEachPINOfATapCounts(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
	shown := numbered(t, 1)
	one := h.claims(m, shown)
	h.hasPIN(one, rightPIN, 0)
	tap, ask := m.tapAsked("gate", shown)
	for range 4 {
		m.asked(m.enter(tap, ask, "9001"), true)
	}
	m.asked(m.enter(tap, ask, "9002"), true)
	if wrong := h.card(one.ID).PIN.Wrong; wrong != 2 {
		t.Errorf("%d count, want 2", wrong)
	}
	m.wants(m.enter(tap, ask, wire.PIN(strings.Repeat("9", 2000))), wire.Refused, wire.PINBlocked)
	m.wants(m.enter(tap, ask, rightPIN), wire.Refused, wire.PINBlocked)

	if _, err := s.ChangeCard(t.Context(), h.id, one.ID, func(one *Card) error { one.Blocked = false; return nil }); err != nil {
		t.Fatal(err)
	}
	m.wants(m.enter(tap, ask, rightPIN), wire.Granted, "")
	tap, ask = m.tapAsked("coffee", shown)
	m.asked(m.enter(tap, ask, "9001"), true)
	m.asked(m.enter(tap, ask, "9002"), true)
	m.wants(m.enter(tap, ask, rightPIN), wire.Granted, "")
	if wrong := h.card(one.ID).PIN.Wrong; wrong != 0 {
		t.Errorf("%d are left after a right one", wrong)
	}
}

// The attack: what a kiosk was asked with is used for another tap, at another kiosk, or
// later.
func TestAskingForAPINIsOfItsTap(t *testing.T) {
	s := open(t)
	m, other, h := s.enrol("machine"), s.enrol("other"), s.holder(10*wallet.Unit)
	shown := numbered(t, 1)
	one := h.claims(m, shown)
	h.hasPIN(one, rightPIN, 0)
	tap, ask := m.tapAsked("gate", shown)
	refused := func(name string, m *machine, tap wire.Tap, state string) {
		t.Helper()
		tap.Answer = &wire.Answer{State: state, PIN: rightPIN}
		if v, err := m.Tap(t.Context(), m.authenticated(wire.TapPath, tap), tap); !errors.Is(err, ErrCode) || strings.Contains(err.Error(), rightPIN) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	fresh := m.newTap("gate", shown)
	refused("another tap", m, fresh, ask.State)
	refused("another kiosk", other, tap, ask.State)
	refused("a claim", m, tap, m.claim(numbered(t, 2)))
	refused("none", m, tap, "")
	s.clock.Advance(dialogLife)
	refused("later", m, tap, ask.State)
	if h.card(one.ID).PIN.Wrong != 0 {
		t.Error("what is no answer is counted as a wrong PIN")
	}
	h.has(10*wallet.Unit, 0)
}

// The attack: a stolen ledger, and a log, say what a PIN is.
func TestAPINIsNowhere(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
	shown := numbered(t, 1)
	const digits = "70418265"
	one := h.claims(m, shown)
	h.hasPIN(one, digits, 0)
	tap, ask := m.tapAsked("gate", shown)
	m.asked(m.enter(tap, ask, "70418260"), true)
	tap.Answer = &wire.Answer{State: ask.State, PIN: digits}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, of := range []any{tap, *tap.Answer, tap.Answer.PIN, h.card(one.ID)} {
			if text := fmt.Sprintf(verb, of); strings.Contains(text, "7041826") || strings.Contains(text, "3730343138") {
				t.Errorf("%T under %s is %s", of, verb, text)
			}
		}
	}
	if err := s.each(t.Context(), "", func(r wallet.Register) error {
		if strings.Contains(r.Value, "7041826") {
			t.Errorf("register %s has it", r.Name)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	second := h.claims(m, numbered(t, 2))
	h.hasPIN(second, digits, 0)
	if a, b := h.card(one.ID).PIN, h.card(second.ID).PIN; string(a.Tag) == string(b.Tag) {
		t.Error("two cards of one PIN look alike")
	}
}

// A card that takes another one's place has its PIN, and its tries.
func TestAReplacementHasThePIN(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
	lost, found := numbered(t, 1), numbered(t, 2)
	old := h.claims(m, lost)
	h.hasPIN(old, rightPIN, wallet.Unit)
	m.wants(m.tap("coffee", lost), wire.Granted, "")
	tap, ask := m.tapAsked("gate", lost)
	for _, wrong := range []wire.PIN{"9001", "9002"} {
		m.asked(m.enter(tap, ask, wrong), true)
	}
	m.wants(m.enter(tap, ask, "9003"), wire.Refused, wire.PINBlocked) // whoever has found it
	h.replaces(m.claim(found), old)
	m.wants(m.enter(tap, ask, rightPIN), wire.Refused, wire.Replaced)
	tap, ask = m.tapAsked("gate", found) // what was paid without it counts
	m.wants(m.enter(tap, ask, rightPIN), wire.Granted, "")
}

func TestAPINIsWhatNobodyTriesFirst(t *testing.T) {
	s := open(t)
	for digits, want := range map[wire.PIN]bool{
		"4711": true, "12345679": true, "1122": true, "0909": true, "1235": true, "7777777": false, "0000": false, "1234": false, "87654321": false,
		"471": false, "471147114": false, "47a1": false, "４７１１": false, "": false, "4711 ": false, "-471": false,
	} {
		one := Card{ID: "x"}
		if err := s.SetPIN(&one, digits, 0); (err == nil) != want || !want && !errors.Is(err, ErrPIN) || (one.PIN != nil) != want {
			t.Errorf("%q: %v, %v", string(digits), err, one.PIN)
		}
	}
	one := Card{ID: "x"}
	for _, above := range []wallet.Amount{-1, wallet.MaxAmount + 1} {
		if err := s.SetPIN(&one, rightPIN, above); !errors.Is(err, ErrInvalid) {
			t.Errorf("above %v: %v", above, err)
		}
	}
}
