package reader

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc/pcsctest"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

const acr, omnikey = "ACS ACR1252 PICC 00 00", "OMNIKEY 5022 01 00"

// lying is a virtual card on a reader of the daemon for tests.
type lying struct{ virtual.Transmitter }

func (lying) ATR() []byte { return virtual.ATR }

// plain is a card that shows its number alone.
type plain []byte

func (p plain) Transmit(apdu []byte) []byte {
	if string(apdu) == string(getUID) {
		return append(append([]byte{}, p...), 0x90, 0x00)
	}
	return []byte{0x6A, 0x82}
}

// torn is a card that is torn away at a command of a number.
type torn struct {
	virtual.Transmitter
	left int
}

func (c *torn) Transmit(apdu []byte) []byte {
	if c.left--; c.left < 0 {
		return nil
	}
	return c.Transmitter.Transmit(apdu)
}

var number7 = card.UID{0x04, 1, 2, 3, 4, 5, 6}

func ntag() *virtual.NTAG {
	return virtual.NewNTAG(number7, card.Bolt(card.Key{7}, number7, 1).Keys, "https://shop.example/.paywall/tap?")
}

// genuine checks that what a card has shown is its own message.
func genuine(t *testing.T, shown wire.Card) uint32 {
	t.Helper()
	keys := card.Bolt(card.Key{7}, number7, 1).Keys
	sun, err := card.OpenSUN(keys[1], shown.PICC)
	if err != nil || !shown.SUN || sun.UID != number7 {
		t.Fatalf("it has shown %v: %v", shown, err)
	}
	if err := sun.Verify(keys[2], nil, shown.MAC); err != nil {
		t.Fatal(err)
	}
	return sun.Counter
}

// each runs a test with a daemon of each protocol.
func each(t *testing.T, test func(t *testing.T, d *pcsctest.Daemon)) {
	for _, minor := range []uint32{4, 5, 6} {
		t.Run(fmt.Sprintf("4:%d", minor), func(t *testing.T) {
			t.Parallel()
			d := pcsctest.Start(t, minor)
			d.Plug(acr)
			test(t, d)
		})
	}
}

func TestEachCardIsToldOfOnce(t *testing.T) {
	each(t, func(t *testing.T, d *pcsctest.Daemon) {
		l := listen(t, PCSC{Socket: d.Socket()})
		l.wants(t, "well", acr)
		n, last := lying{ntag()}, uint32(0)
		for range 3 {
			d.Insert(acr, n)
			counter := genuine(t, l.wants(t, "arrived", acr).shown)
			if counter <= last {
				t.Errorf("message %d after %d", counter, last)
			}
			last = counter
			l.silent(t, 50*time.Millisecond)
			d.Insert(acr, nil)
			l.wants(t, "gone", acr)
		}
		d.Insert(acr, lying{plain{0x04, 9, 9, 9, 9, 9, 9}})
		if e := l.wants(t, "arrived", acr); e.shown.SUN || e.shown.UID != number(t, 0x04, 9, 9, 9, 9, 9, 9) {
			t.Errorf("a plain card shows %v", e.shown)
		}
	})
}

// A reader is plugged in later, unplugged, and plugged in again with a card on it.
func TestReadersComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, d *pcsctest.Daemon) {
		l := listen(t, PCSC{Socket: d.Socket(), Names: "OMNIKEY*"})
		d.Insert(acr, lying{ntag()}) // not ours
		d.Plug(omnikey)
		l.wants(t, "well", omnikey)
		d.Insert(omnikey, lying{ntag()})
		l.wants(t, "arrived", omnikey)
		d.Unplug(omnikey)
		l.wants(t, "gone", omnikey)
		l.wants(t, "ill", omnikey)
		d.Plug(omnikey)
		l.wants(t, "well", omnikey)
		d.Insert(omnikey, nil)
		d.Insert(omnikey, lying{ntag()})
		l.wants(t, "arrived", omnikey)
	})
}

// pcscd is stopped and started again: the bridge goes on.
func TestARestartOfPcscdIsSurvived(t *testing.T) {
	each(t, func(t *testing.T, d *pcsctest.Daemon) {
		l := listen(t, PCSC{Socket: d.Socket()})
		l.wants(t, "well", acr)
		d.Insert(acr, lying{ntag()})
		l.wants(t, "arrived", acr)
		d.Stop()
		l.wants(t, "gone", acr)
		l.wants(t, "ill", "pcscd")
		d.Restart()
		l.wants(t, "arrived", acr) // the card that still lies there
		d.Insert(acr, nil)
		l.wants(t, "gone", acr)
	})
}

// A card that is torn away at any moment shows nothing, or what it has whole.
func TestATornCardShowsNothing(t *testing.T) {
	each(t, func(t *testing.T, d *pcsctest.Daemon) {
		l := listen(t, PCSC{Socket: d.Socket()})
		l.wants(t, "well", acr)
		for after := range 10 {
			d.Insert(acr, lying{&torn{ntag(), after}})
			if e := <-l; e.what == "arrived" {
				genuine(t, e.shown)
				if after < 4 {
					t.Errorf("after %d commands it has shown everything", after)
				}
			} else if e.what != "unread" || e.err == nil {
				t.Errorf("after %d commands it tells %v", after, e)
			}
			d.Insert(acr, nil)
			l.wants(t, "gone", acr)
		}
	})
}

// A card is swapped for another within one look of the daemon: what it shows is one card's.
func TestASwappedCardIsNotMixed(t *testing.T) {
	first, second := ntag(), virtual.NewNTAG(card.UID{0x04, 8, 8, 8, 8, 8, 8}, card.Bolt(card.Key{7}, card.UID{0x04, 8, 8, 8, 8, 8, 8}, 1).Keys, "https://shop.example/?")
	d := pcsctest.Start(t, 5)
	d.Plug(acr)
	l := listen(t, PCSC{Socket: d.Socket()})
	l.wants(t, "well", acr)
	for at := range 8 {
		swapping := &swapper{first: first, swap: func() { d.Swap(acr, lying{second}) }, at: at}
		d.Insert(acr, lying{swapping})
		e := <-l
		if e.what == "arrived" && e.shown.SUN {
			keys := card.Bolt(card.Key{7}, number7, 1).Keys
			sun, err := card.OpenSUN(keys[1], e.shown.PICC)
			if err != nil {
				t.Fatal(err)
			}
			if err := sun.Verify(card.Bolt(card.Key{7}, sun.UID, 1).Keys[2], nil, e.shown.MAC); err != nil {
				t.Errorf("swapped at %d it shows a mixture: %v", at, err)
			}
		}
		d.Insert(acr, nil)
		for e := range l {
			if e.what == "gone" {
				break
			}
		}
	}
}

// swapper has itself swapped at a command of a number.
type swapper struct {
	first virtual.Transmitter
	swap  func()
	at    int
	count int
}

func (s *swapper) Transmit(apdu []byte) []byte {
	if s.count++; s.count-1 == s.at {
		go s.swap()
	}
	return s.first.Transmit(apdu)
}

func TestOnlyAMessageIsAMessage(t *testing.T) {
	const picc, mac = "00112233445566778899aabbccddeeff", "0011223344556677"
	for address, want := range map[string]bool{
		"https://a/?picc=" + picc + "&cmac=" + mac:        true,
		"lnurlw://a/?p=" + picc + "&c=" + mac:             true,
		"https://a/?picc=" + picc:                         false,
		"https://a/?picc=" + picc + "&cmac=zz":            false,
		"https://a/?picc=" + picc[2:] + "&cmac=" + mac:    false,
		"https://a/?picc=" + picc + "&cmac=" + mac + "00": false,
		"%zz": false, "": false,
	} {
		if _, found := wire.AtAddress(address); found != want {
			t.Errorf("%q: %v", address, found)
		}
	}
}

// scripted is a card that answers with whatever bytes there are.
type scripted struct{ rest []byte }

func (s *scripted) Transmit([]byte) ([]byte, error) {
	n := 0
	if len(s.rest) > 0 {
		n = min(int(s.rest[0]), len(s.rest)-1)
		s.rest = s.rest[1:]
	}
	answer := s.rest[:n]
	s.rest = s.rest[n:]
	return append(append([]byte{}, answer...), 0x90, 0x00), nil
}

// Whatever a card answers, reading it ends, and without a panic.
func FuzzReadCard(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 2, 0, 4, 4, 1, 2, 3, 4, 7, 4, 1, 2, 3, 4, 5, 6})
	f.Add([]byte{0, 0, 2, 7, 0xFF, 1, 1, 1, 1})
	terminal := bankTerminal(f)
	f.Fuzz(func(_ *testing.T, answers []byte) {
		_, _ = readCard((&scripted{answers}).Transmit, false, terminal)
		_, _ = readCard((&scripted{answers}).Transmit, true, terminal)
	})
}
