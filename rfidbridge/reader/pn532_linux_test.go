package reader

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/issue"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pn532/pn532test"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

const (
	commands = 0x20 // SAK of cards of ISO/IEC 14443-4
	classic  = 0x08
)

// onBoard is a virtual card as it lies on a PN532.
func onBoard(c virtual.Transmitter) *pn532test.Card {
	return &pn532test.Card{UID: number7[:], SAK: commands, Transmit: c.Transmit}
}

// board is a PN532 on a line that keeps its name when it is plugged in again.
func board(t *testing.T) (b *pn532test.Board, name string) {
	t.Helper()
	b, path := pn532test.Start(t)
	name = filepath.Join(t.TempDir(), "board")
	if err := os.Symlink(path, name); err != nil {
		t.Fatal(err)
	}
	return b, name
}

const boardName = "counter"

func watchBoard(t *testing.T) (*pn532test.Board, listener) {
	t.Helper()
	b, path := board(t)
	l := listen(t, PN532{Name: boardName, Path: path})
	l.wants(t, "well", boardName)
	return b, l
}

func TestEachCardOnAPN532IsToldOfOnce(t *testing.T) {
	b, l := watchBoard(t)
	n, last := ntag(), uint32(0)
	for range 3 {
		b.Lay(onBoard(n))
		counter := genuine(t, l.wants(t, "arrived", boardName).shown)
		if counter <= last {
			t.Errorf("message %d after %d", counter, last)
		}
		last = counter
		l.silent(t, 100*time.Millisecond)
		b.Lay(nil)
		l.wants(t, "gone", boardName)
	}
	for name, c := range map[string]*pn532test.Card{
		"a card of commands":      onBoard(plain(number7[:])),
		"a MIFARE Classic":        {UID: []byte{1, 2, 3, 4}, SAK: classic, Transmit: func([]byte) []byte { return nil }},
		"an Ultralight, empty":    {UID: number7[:], Transmit: virtual.NewUltralight(number7).Frame},
		"one of ten, as of a cat": {UID: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, SAK: classic, Transmit: func([]byte) []byte { return nil }},
	} {
		b.Lay(c)
		if e := l.wants(t, "arrived", boardName); e.shown != (wire.Card{UID: number(t, c.UID...)}) {
			t.Errorf("%s shows %+v", name, e.shown)
		}
		l.silent(t, 100*time.Millisecond)
		b.Lay(nil)
		l.wants(t, "gone", boardName)
	}
}

// with is a sink that does something with each card that arrives.
type with struct {
	listener
	do func(shown wire.Card, exchange card.Exchange)
}

func (w with) Arrived(reader string, shown wire.Card, exchange card.Exchange) {
	w.do(shown, exchange)
	w.listener.Arrived(reader, shown, exchange)
}

// A blank card of each kind is made this project's on a PN532, is known on it afterwards,
// and proves its key through it, all on a noisy line.
func TestEachKindOfCardIsMadeAndProvesItselfOnAPN532(t *testing.T) {
	keys := card.Bolt(card.Key{7}, number7, 1)
	ultra, desfire, n424 := virtual.NewUltralight(number7), virtual.NewDESFire(number7, virtual.EV3), virtual.FactoryNTAG(number7, [card.SignatureSize]byte{})
	cards := []*pn532test.Card{
		{UID: number7[:], SAK: commands, Transmit: desfire.Transmit, Reset: desfire.Reset},
		{UID: number7[:], Transmit: ultra.Frame, Reset: ultra.Reset},
		{UID: number7[:], SAK: commands, Transmit: n424.Transmit, Reset: n424.Reset},
	}
	lay := func(t *testing.T, chips bool, do func(shown wire.Card, exchange card.Exchange)) {
		b, path := board(t)
		l := make(listener, 100)
		run(t, PN532{Name: boardName, Path: path, Chips: chips}, with{l, do})
		b.Noise([]byte{0x00, 0xFF, 0x00})
		for _, c := range cards {
			b.Lay(c)
			l.wants(t, "arrived", boardName)
			b.Lay(nil)
			l.wants(t, "gone", boardName)
		}
	}
	t.Run("made", func(t *testing.T) {
		lay(t, true, func(shown wire.Card, exchange card.Exchange) {
			made := issue.Card{Kind: shown.Kind, UID: number7, Keys: keys, URL: "https://shop.example" + wire.TapURLPath}
			if err := issue.Personalise(made, rand.Reader, exchange); err != nil {
				t.Errorf("%v: %v", shown, err)
			}
		})
	})
	t.Run("proves itself", func(t *testing.T) {
		want := []card.Kind{card.KindDESFire, card.KindUltralight, card.KindNTAG424}
		lay(t, false, func(shown wire.Card, exchange card.Exchange) {
			kind, seen := want[0], shown.Kind
			if want = want[1:]; shown.SUN {
				seen = card.KindNTAG424
			}
			if seen != kind {
				t.Errorf("%s shows %+v", kind, shown)
			}
			if err := card.Prove(kind, card.Online, card.Online.Key(keys), rand.Reader, exchange); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		})
	})
}

// A card that is torn away at any moment shows nothing, or what it has whole.
func TestACardThatIsTornOffAPN532ShowsNothing(t *testing.T) {
	b, l := watchBoard(t)
	for after := range 8 {
		b.Lay(onBoard(&torn{ntag(), after}))
		if e := l.wantsCard(t); e.what == "arrived" {
			genuine(t, e.shown)
			if after < 4 {
				t.Errorf("after %d commands it has shown everything", after)
			}
		} else if e.what != "unread" || e.err == nil {
			t.Errorf("after %d commands it tells %v", after, e)
		}
		b.Lay(nil)
		l.wants(t, "gone", boardName)
	}
}

// A phone draws another number each time that it is found: while it lies there, it is not
// found anew.
func TestACardOfChangingNumbersIsToldOfOnce(t *testing.T) {
	b, l := watchBoard(t)
	phone := onBoard(plain{0x08, 1, 2, 3})
	phone.UID = []byte{0x08, 1, 2, 3}
	phone.Reset = func() { phone.UID = []byte{0x08, phone.UID[1] + 1, 2, 3} }
	b.Lay(phone)
	if e := l.wants(t, "arrived", boardName); !e.shown.UID.Random() {
		t.Errorf("it shows %v", e.shown)
	}
	l.silent(t, 200*time.Millisecond)
}

// A card is put in another's place within one look: both are told of.
func TestACardInAnothersPlaceIsAnother(t *testing.T) {
	b, l := watchBoard(t)
	b.Lay(onBoard(plain(number7[:])))
	l.wants(t, "arrived", boardName)
	other := onBoard(plain{4, 9, 9, 9, 9, 9, 9})
	other.UID = []byte{4, 9, 9, 9, 9, 9, 9}
	b.Lay(other)
	l.wants(t, "gone", boardName)
	if e := l.wants(t, "arrived", boardName); e.shown.UID != number(t, other.UID...) {
		t.Errorf("it shows %v", e.shown)
	}
}

// The board is unplugged with a card on it, and plugged in again.
func TestAnUnpluggedPN532IsFoundAgain(t *testing.T) {
	b, path := board(t)
	l := listen(t, PN532{Name: boardName, Path: path})
	l.wants(t, "well", boardName)
	b.Lay(onBoard(ntag()))
	l.wants(t, "arrived", boardName)
	b.Unplug()
	l.wants(t, "gone", boardName)
	l.wants(t, "ill", boardName)
	again, back := pn532test.Start(t)
	again.Lay(onBoard(ntag()))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(back, path); err != nil {
		t.Fatal(err)
	}
	genuine(t, l.wants(t, "arrived", boardName).shown)
	again.Silence(true) // it hangs
	l.wants(t, "gone", boardName)
	if e := l.wants(t, "ill", boardName); e.err == nil {
		t.Error("it is said to be well")
	}
}
