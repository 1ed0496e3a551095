package virtual

import (
	"bytes"
	"errors"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

var (
	number = card.UID{0x04, 0xA3, 0x94, 0x93, 0xCC, 0x86, 0x80}
	ours   = card.Bolt(card.Key{7}, number, 1).Keys
	name   = b("00A4040007D276000085010100")
)

func newNTAG(t *testing.T) *NTAG {
	t.Helper()
	n := NewNTAG(number, ours, "https://shop.example/?")
	wants(t, "the answer to SELECT", n.Transmit(name), "9000")
	return n
}

// open authenticates as a reader does.
func open(t *testing.T, c Transmitter, a *card.EV2) (*card.Session, error) {
	t.Helper()
	command, err := a.Ask()
	if err != nil {
		t.Fatal(err)
	}
	if command, err = a.Reply(c.Transmit(command)); err != nil {
		return nil, err
	}
	return a.Open(c.Transmit(command))
}

func uidOf(t *testing.T, c Transmitter, s *card.Session) card.UID {
	t.Helper()
	command, err := s.AskUID()
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.UID(c.Transmit(command))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEachKeyOpensASessionWhichGoesOnWithAnother(t *testing.T) {
	n := newNTAG(t)
	for i, k := range ours {
		s, err := open(t, n, card.NewEV2(byte(i), k))
		if err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
		for range 3 {
			if got := uidOf(t, n, s); got != number {
				t.Errorf("key %d: the UID is another", i)
			}
		}
		next := (i + 1) % len(ours)
		if s, err = open(t, n, s.Again(byte(next), ours[next])); err != nil {
			t.Fatalf("key %d after key %d: %v", next, i, err)
		}
		if got := uidOf(t, n, s); got != number {
			t.Error("the UID is another after the second authentication")
		}
	}
}

func TestACardThatHidesShowsAnotherNumberAtEachReset(t *testing.T) {
	n := newNTAG(t)
	n.HideUID()
	seen := map[string]bool{}
	for range 8 {
		shown := n.Transmit(b("FFCA000000"))
		if len(shown) != 6 || shown[0] != 0x08 || seen[string(shown)] {
			t.Errorf("it shows %X", shown)
		}
		if again := n.Transmit(b("FFCA000000")); !bytes.Equal(again, shown) {
			t.Errorf("it shows %X and %X in one presence", shown, again)
		}
		seen[string(shown)] = true
		n.Reset()
	}
	n.Transmit(name)
	s, err := open(t, n, card.NewEV2(3, ours[3]))
	if err != nil || uidOf(t, n, s) != number {
		t.Errorf("whoever has its key does not learn its number: %v", err)
	}
}

// The attack: every key is tried until one does.
func TestACardIsNotAskedForeverWithWrongKeys(t *testing.T) {
	n := newNTAG(t)
	for i := range mostFailed {
		if _, err := open(t, n, card.NewEV2(3, card.Key{9})); !errors.Is(err, card.ErrRefused) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	wants(t, "the answer after too many", n.Transmit(b("9071000002030000")), "91AD")
	if n.Failures() != mostFailed {
		t.Errorf("it has counted %d", n.Failures())
	}
	if _, err := open(t, n, card.NewEV2(0, ours[0])); err != nil {
		t.Errorf("another key does not open it any more: %v", err)
	}
}

func TestASessionEndsWithWhatTheCardDoesNotBelieve(t *testing.T) {
	for what, wrong := range map[string]func(command []byte) []byte{
		"a MAC that was changed": func(c []byte) []byte { c[8] ^= 1; return c },
		"no MAC":                 func([]byte) []byte { return b("9051000000") },
		"no such command":        func([]byte) []byte { return b("9099000000") },
		"a command cut off":      func([]byte) []byte { return b("90510000088E") },
		"an application anew":    func([]byte) []byte { return name },
	} {
		n := newNTAG(t)
		s, err := open(t, n, card.NewEV2(0, ours[0]))
		if err != nil {
			t.Fatal(err)
		}
		command, err := s.AskUID()
		if err != nil {
			t.Fatal(err)
		}
		n.Transmit(wrong(bytes.Clone(command)))
		if answer := n.Transmit(command); len(answer) != 2 {
			t.Errorf("%s: the card goes on with %X", what, answer)
		}
	}
}

func TestGetVersionSaysWhatChipItIs(t *testing.T) {
	n := NewNTAG(number, ours, "")
	var all []byte
	for i, command := range []string{"9060000000", "90AF000000", "90AF000000"} {
		answer := n.Transmit(b(command))
		end := len(answer) - 2
		if want := []byte{0xAF, 0xAF, 0x00}[i]; answer[end+1] != want {
			t.Fatalf("frame %d: %X", i, answer)
		}
		all = append(all, answer[:end]...)
	}
	if len(all) != 28 || all[0] != 0x04 || all[1] != 0x04 || !bytes.Equal(all[14:21], number[:]) {
		t.Errorf("it says %X", all)
	}
	wants(t, "a frame too many", n.Transmit(b("90AF000000")), "919D")
}

// A reader may send anything, and a card answers with a status.
func FuzzNTAG(f *testing.F) {
	for _, seed := range []string{"9071000002030000", "90AF000000", "9060000000", "00B0000000", "00A4000C02E104", "90", "FFCA000000"} {
		f.Add(b(seed), b("9051000000"))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		n := newNTAG(t)
		for _, command := range [][]byte{first, second, first} {
			if answer := n.Transmit(command); len(answer) < 2 || len(answer) > 258 {
				t.Errorf("%X is answered with %X", command, answer)
			}
		}
	})
}
