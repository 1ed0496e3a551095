package virtual

import (
	"errors"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

var application = [3]byte{0xF0, 0x50, 0x57}

func newDESFire(t *testing.T, generation Generation) *DESFire {
	t.Helper()
	d := NewDESFire(number, generation)
	d.Install(application, ours[0], ours[3], ours[4])
	wants(t, "the answer to SelectApplication", d.Transmit(b("905A000003F0505700")), "9100")
	return d
}

func TestADESFireOpensASessionForEachKeyOfItsApplication(t *testing.T) {
	for _, generation := range []Generation{EV2, EV3} {
		d := newDESFire(t, generation)
		for i, k := range []card.Key{ours[0], ours[3], ours[4]} {
			s, err := open(t, d, card.NewEV2(byte(i), k))
			if err != nil {
				t.Fatalf("key %d: %v", i, err)
			}
			if uidOf(t, d, s) != number {
				t.Errorf("key %d: the UID is another", i)
			}
		}
		if _, err := open(t, d, card.NewEV2(1, card.Key{9})); !errors.Is(err, card.ErrRefused) || d.Failures() != 1 {
			t.Errorf("a wrong key: %v", err)
		}
	}
}

func TestADESFireOfTheFirstGenerationKnowsAuthenticateAESAlone(t *testing.T) {
	d := newDESFire(t, EV1)
	wants(t, "the answer to the later one's", d.Transmit(b("9071000002010000")), "911C")
	prove := func(k card.Key) error {
		a := card.NewEV1(1, k)
		command, err := a.Ask()
		if err != nil {
			t.Fatal(err)
		}
		if command, err = a.Reply(d.Transmit(command)); err != nil {
			t.Fatal(err)
		}
		_, err = a.Open(d.Transmit(command))
		return err
	}
	if err := prove(ours[3]); err != nil {
		t.Errorf("its key: %v", err)
	}
	if err := prove(ours[4]); !errors.Is(err, card.ErrRefused) || d.Failures() != 1 {
		t.Errorf("another key: %v", err)
	}
	for range mostFailed {
		d.Transmit(b("90AA0000010100"))
		d.Transmit(append(b("90AF000020"), make([]byte, 33)...))
	}
	wants(t, "the answer after too many wrong keys", d.Transmit(b("90AA0000010100")), "91AD")
}

func TestAnApplicationIsMadeOnceAndRemovedByWhoHasItsKey(t *testing.T) {
	d := NewDESFire(number, EV2)
	for command, want := range map[string]string{
		"905A000003F0505700":     "91A0", // there is none yet
		"90CA000005F050570B0300": "919E", // with keys of DES
		"9051000000":             "919D",
	} {
		wants(t, "the answer to "+command, d.Transmit(b(command)), want)
	}
	wants(t, "the answer to CreateApplication", d.Transmit(b("90CA000005F050570B8300")), "9100")
	wants(t, "the answer to another", d.Transmit(b("90CA000005F050570B8300")), "91DE")
	wants(t, "the answer to SelectApplication", d.Transmit(b("905A000003F0505700")), "9100")
	wants(t, "a stranger's DeleteApplication", d.Transmit(b("90DA000003F0505700")), "919D")
	s, err := open(t, d, card.NewEV2(0, card.Key{}))
	if err != nil {
		t.Fatal(err)
	}
	command, err := s.Sign(deleteApplication, application[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "the owner's DeleteApplication", d.Transmit(command), "9100")
	wants(t, "the answer to SelectApplication", d.Transmit(b("905A000003F0505700")), "91A0")
}

func FuzzDESFire(f *testing.F) {
	for _, seed := range []string{"9071000002030000", "90AA0000010000", "90AF000000", "9060000000", "905A00000300000000", "90CA000005F050570B8300", "90"} {
		f.Add(b(seed), b("9051000000"))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d := newDESFire(t, EV2)
		for _, command := range [][]byte{first, second, first} {
			if answer := d.Transmit(command); len(answer) < 2 || len(answer) > 258 {
				t.Errorf("%X is answered with %X", command, answer)
			}
		}
	})
}
