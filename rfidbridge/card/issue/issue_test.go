package issue

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
)

const address = "https://shop.example/.paywall/tap"

var (
	number = card.UID{0x04, 0xA3, 0x94, 0x93, 0xCC, 0x86, 0x80}
	ours   = card.Bolt(card.Key{7}, number, KeyVersion)
	theirs = card.Bolt(card.Key{9}, number, KeyVersion)
)

// chip is a virtual card of any kind.
type chip interface {
	Transmit(apdu []byte) []byte
	Reset()
	Failures() int
}

// model is a chip that can be issued.
type model struct {
	kind  card.Kind
	first bool // of the first generation
}

// models make a blank card of each.
var models = map[model]func() chip{
	{card.KindNTAG424, false}:    func() chip { return virtual.FactoryNTAG(number, [card.SignatureSize]byte{}) },
	{card.KindDESFire, true}:     func() chip { return virtual.NewDESFire(number, virtual.EV1) },
	{card.KindDESFire, false}:    func() chip { return virtual.NewDESFire(number, virtual.EV3) },
	{card.KindUltralight, false}: func() chip { return virtual.NewUltralight(number) },
}

// way is the way to a card: an Ultralight is told its own frames.
func way(c chip) card.Exchange {
	if u, is := c.(*virtual.Ultralight); is {
		return func(frame []byte) ([]byte, error) { return u.Frame(frame), nil }
	}
	return func(apdu []byte) ([]byte, error) { return c.Transmit(apdu), nil }
}

// laid is a card that is laid down anew.
func laid(c chip) card.Exchange {
	c.Reset()
	return way(c)
}

func mine(kind card.Kind) Card { return Card{Kind: kind, UID: number, Keys: ours, URL: address} }

func personalised(t testing.TB, m model) chip {
	t.Helper()
	c := models[m]()
	if err := Personalise(mine(m.kind), rand.Reader, laid(c)); err != nil {
		t.Fatalf("%v: %v", m, err)
	}
	return c
}

// wantsState fails unless a card of ours is what it should be, and has not been tried with a
// wrong key.
func wantsState(t testing.TB, kind card.Kind, c chip, want State) {
	t.Helper()
	r, err := Inspect(kind, laid(c))
	if err != nil || r.State != want || r.UID != number {
		t.Fatalf("%s is %s and not %s, %v", kind, r.State, want, err)
	}
	if c.Failures() > 0 {
		t.Errorf("%s was tried with %d wrong keys", kind, c.Failures())
	}
	if want == Issued {
		for _, slot := range []card.Slot{card.Online, card.Offline} {
			if err := card.Prove(kind, slot, slot.Key(ours), rand.Reader, laid(c)); err != nil {
				t.Errorf("%s, slot %d: %v", kind, slot, err)
			}
		}
	}
}

func TestACardIsPersonalisedAndBlankAgain(t *testing.T) {
	for made, blank := range models {
		kind := made.kind
		c := blank()
		wantsState(t, kind, c, Blank)
		for range 2 { // the second time it is looked at only
			if err := Personalise(mine(kind), rand.Reader, laid(c)); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			wantsState(t, kind, c, Issued)
		}
		for range 2 {
			if err := Reset(mine(kind), rand.Reader, laid(c)); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			wantsState(t, kind, c, Blank)
		}
		if err := Personalise(mine(kind), rand.Reader, laid(c)); err != nil {
			t.Fatalf("%s, used before: %v", kind, err)
		}
		wantsState(t, kind, c, Issued)
	}
}

func TestACardShowsItsAddress(t *testing.T) {
	for _, kind := range []card.Kind{card.KindNTAG424, card.KindUltralight} {
		c := personalised(t, model{kind: kind})
		moved := mine(kind)
		moved.URL = "http://other.example:8402/shop/.paywall/tap"
		for _, m := range []Card{mine(kind), moved} {
			if err := Personalise(m, rand.Reader, laid(c)); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			r, err := Inspect(kind, laid(c))
			if err != nil || r.Address != m.URL || r.SUN != (kind == card.KindNTAG424) {
				t.Errorf("%s shows %q, with a message: %t, %v", kind, r.Address, r.SUN, err)
			}
		}
	}
}

var errTorn = errors.New("the card is gone")

// torn is a card that is taken away at a command: before the command reaches it, or before
// the answer reaches us.
func torn(c chip, at int, answered bool) card.Exchange {
	to, n := laid(c), 0
	return func(command []byte) ([]byte, error) {
		switch n++; {
		case n < at:
			return to(command)
		case n == at && answered:
			_, _ = to(command)
		}
		return nil, errTorn
	}
}

// What a card is told has to be told again when it was taken away too early, wherever that
// was.
func TestACardThatIsTakenAwayAtAnyMomentIsNotLost(t *testing.T) {
	for made, blank := range models {
		kind := made.kind
		for name, way := range map[string]struct {
			do   func(Card, chip, func(chip) card.Exchange) error
			from func() chip
			want State
		}{
			"personalise": {func(m Card, c chip, to func(chip) card.Exchange) error { return Personalise(m, rand.Reader, to(c)) }, blank, Issued},
			"reset": {
				func(m Card, c chip, to func(chip) card.Exchange) error { return Reset(m, rand.Reader, to(c)) },
				func() chip { return personalised(t, made) }, Blank,
			},
		} {
			steps := 0
			for at := 1; ; at++ {
				c := way.from()
				if err := way.do(mine(kind), c, func(c chip) card.Exchange { return torn(c, at, true) }); err == nil {
					break
				} else if !errors.Is(err, errTorn) {
					t.Fatalf("%s %s, torn at %d: %v", name, kind, at, err)
				}
				steps++
				for _, answered := range []bool{false, true} {
					c := way.from()
					for range 2 { // taken away at the same moment twice
						_ = way.do(mine(kind), c, func(c chip) card.Exchange { return torn(c, at, answered) })
					}
					if err := way.do(mine(kind), c, laid); err != nil {
						t.Fatalf("%s %s, torn at %d, answered: %t: %v", name, kind, at, answered, err)
					}
					wantsState(t, kind, c, way.want)
				}
			}
			if steps < 5 {
				t.Errorf("%s %s was torn at %d commands alone", name, kind, steps)
			}
		}
	}
}

// A card whose personalisation was interrupted can be made blank, and the other way round.
func TestWhatWasInterruptedIsTakenBack(t *testing.T) {
	for made, blank := range models {
		kind := made.kind
		for at := 1; at < 80; at++ {
			c := blank()
			_ = Personalise(mine(kind), rand.Reader, torn(c, at, true))
			if err := Reset(mine(kind), rand.Reader, laid(c)); err != nil {
				t.Fatalf("%s, torn at %d: %v", kind, at, err)
			}
			wantsState(t, kind, c, Blank)
			c = personalised(t, made)
			_ = Reset(mine(kind), rand.Reader, torn(c, at, true))
			if err := Personalise(mine(kind), rand.Reader, laid(c)); err != nil {
				t.Fatalf("%s, torn at %d: %v", kind, at, err)
			}
			wantsState(t, kind, c, Issued)
		}
	}
}

// The attack: a card of somebody else's is laid down until its keys lock, or it is written
// over.
func TestAForeignCardIsTriedOnceAndLeftAsItIs(t *testing.T) {
	for made, blank := range models {
		kind := made.kind
		c := blank()
		m := mine(kind)
		m.Keys = theirs
		if err := Personalise(m, rand.Reader, laid(c)); err != nil {
			t.Fatal(err)
		}
		for name, do := range map[string]func() error{
			"personalise": func() error { return Personalise(mine(kind), rand.Reader, laid(c)) },
			"reset":       func() error { return Reset(mine(kind), rand.Reader, laid(c)) },
		} {
			before := c.Failures()
			if err := do(); !errors.Is(err, ErrForeign) {
				t.Errorf("%s %s: %v", name, kind, err)
			}
			if tried := c.Failures() - before; tried > 1 {
				t.Errorf("%s %s tries %d keys", name, kind, tried)
			}
		}
		if err := Personalise(m, rand.Reader, laid(c)); err != nil {
			t.Errorf("%s is not its owner's any more: %v", kind, err)
		}
	}
}

// The attack: the kiosk says that another card lies there, so that this one gets its keys.
func TestACardIsNotGivenTheKeysOfAnother(t *testing.T) {
	for made, blank := range models {
		kind := made.kind
		m := mine(kind)
		m.UID[6]++
		c := blank()
		if err := Personalise(m, rand.Reader, laid(c)); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", kind, err)
		}
		if r, err := Inspect(kind, laid(c)); err != nil || r.State == Issued || r.Address != "" {
			t.Errorf("%s is %s and shows %q, %v", kind, r.State, r.Address, err)
		}
	}
}

func TestACardOfAnotherKindIsLeftAlone(t *testing.T) {
	for m, blank := range models {
		kind := m.kind
		for _, other := range card.Kinds {
			if kind == other {
				continue
			}
			c := blank()
			if err := Personalise(mine(other), rand.Reader, way(c)); err == nil {
				t.Errorf("%s is taken for %s", kind, other)
			}
			wantsState(t, kind, c, Blank)
		}
	}
}

func TestAnAddressThatDoesNotGoOnACardIsRefused(t *testing.T) {
	for _, wrong := range []string{
		"", "shop.example", "ftp://shop.example/", "https://", "https://shop.example/?a=b", "https://shop.example/#a", "https://shop example/",
		"https://shop.example/" + strings.Repeat("a", 190), "https://shöp.example/",
	} {
		for _, kind := range []card.Kind{card.KindNTAG424, card.KindUltralight} {
			c := models[model{kind: kind}]()
			m := mine(kind)
			m.URL = wrong
			if err := Personalise(m, rand.Reader, laid(c)); !errors.Is(err, ErrURL) {
				t.Errorf("%s, %q: %v", kind, wrong, err)
			}
			wantsState(t, kind, c, Blank)
		}
	}
}

func TestACardDoesNotPrint(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if text := fmt.Sprintf(verb, mine(card.KindNTAG424)); text != "[card]" {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

// AN12196, table 30: a number that NXP has signed.
func TestAGenuineChipIsFound(t *testing.T) {
	uid := card.UID{0x04, 0x51, 0x8D, 0xFA, 0xA9, 0x61, 0x80}
	signature := [card.SignatureSize]byte(hexBytes("D1940D17CFEDA4BFF80359AB975F9F6514313E8F90C1D3CAAF5941AD744A1CDF9A83F883CAFE0FE95D1939B1B7E47113993324473B785D21"))
	for _, c := range []struct {
		uid  card.UID
		want bool
	}{{uid, true}, {number, false}} {
		r, err := Inspect(card.KindNTAG424, laid(virtual.FactoryNTAG(c.uid, signature)))
		if err != nil || r.Signed != c.want {
			t.Errorf("signed: %t, %v", r.Signed, err)
		}
	}
}

func hexBytes(text string) (b []byte) {
	for i := 0; i < len(text); i += 2 {
		var one byte
		_, _ = fmt.Sscanf(text[i:i+2], "%02X", &one)
		b = append(b, one)
	}
	return b
}

// A card may answer anything.
func FuzzAnswers(f *testing.F) {
	f.Add(byte(0), []byte{0x00, 0x90, 0x00})
	f.Add(byte(1), []byte{0x91, 0x00})
	f.Add(byte(2), []byte{0x00, 0x04, 0x03, 0x01, 0x04, 0x00, 0x0F, 0x03})
	f.Fuzz(func(t *testing.T, which byte, answers []byte) {
		kind := card.Kinds[int(which)%len(card.Kinds)]
		for name, do := range map[string]func(card.Exchange) error{
			"personalise": func(to card.Exchange) error { return Personalise(mine(kind), rand.Reader, to) },
			"reset":       func(to card.Exchange) error { return Reset(mine(kind), rand.Reader, to) },
			"inspect":     func(to card.Exchange) error { _, err := Inspect(kind, to); return err },
		} {
			// The card does as it should, until it answers something else.
			to, rest := laid(models[model{kind: kind}]()), answers
			err := do(func(command []byte) ([]byte, error) {
				if len(rest) == 0 {
					return nil, errTorn
				}
				n := int(rest[0])
				rest = rest[1:]
				if n >= 0x40 {
					return to(command)
				}
				n = min(n, len(rest))
				answer := rest[:n]
				rest = rest[n:]
				return answer, nil
			})
			if err == nil && name == "personalise" && len(answers) < 20 {
				t.Errorf("%s is personalised by %X", kind, answers)
			}
		}
	})
}
