package uid

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func must(t *testing.T, b ...byte) UID {
	t.Helper()
	u, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAUIDHasALengthThatCardsHave(t *testing.T) {
	for n := range 16 {
		b := bytes.Repeat([]byte{0xA5}, n)
		u, err := New(b)
		switch n {
		case 4, 5, 7, 8, 10:
			if err != nil || !bytes.Equal(u.Bytes(), b) {
				t.Errorf("%d bytes: %v", n, err)
			}
			if _, err := New(make([]byte, n)); !errors.Is(err, ErrLength) {
				t.Errorf("%d zeros: %v", n, err)
			}
		default:
			if !errors.Is(err, ErrLength) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
}

// The attack: a phone that is enrolled by a number that it will never show again, and that
// another phone may.
func TestANumberDrawnForOneTapIsNoIdentity(t *testing.T) {
	if !must(t, 0x08, 1, 2, 3).Random() {
		t.Error("a random number is taken for a UID")
	}
	for _, u := range []UID{must(t, 0x04, 1, 2, 3), must(t, 0x08, 1, 2, 3, 4, 5, 6), must(t, 0x88, 1, 2, 3)} {
		if u.Random() {
			t.Errorf("%x is taken for a random number", u.Bytes())
		}
	}
}

// One card has one UID on all readers.
func TestReadersWriteTheSameCardInTheirWays(t *testing.T) {
	four, five := must(t, 0x04, 0xA3, 0x94, 0x93), must(t, 0, 0x12, 0x7D, 0x11, 0xD7)
	seven := must(t, 0x04, 0xA3, 0x94, 0x93, 0xCC, 0x86, 0x80)
	for _, c := range []struct {
		format Format
		text   string
		want   UID
	}{
		{Hex, "04A39493", four}, {Hex, "04:a3:94:93\n", four}, {Hex, "04-A3-94-93-CC-86-80", seven}, {Hex, " 04 a3 94 93 cc 86 80 ", seven},
		{HexReversed, "9394A304", four}, {HexReversed, "8086CC9394A304", seven},
		{Decimal, "77829267", four}, {Decimal, "0077829267", four}, {DecimalReversed, "2475991812", four},
		{Decimal10, "0310186455", five}, {Facility, "125,04567", must(t, 0, 0, 0x7D, 0x11, 0xD7)},
	} {
		if got, err := c.format.Parse(c.text); err != nil || got != c.want {
			t.Errorf("%s: %q is %x, %v; want %x", c.format, c.text, got.Bytes(), err, c.want.Bytes())
		}
	}
}

func TestWhatIsNoUIDIsRefused(t *testing.T) {
	for _, format := range Formats {
		for _, text := range []string{"", " ", "x", "-1", "+1", "0", "00000000", "4294967296", "1,2,3", "256,1", "1,65536", "04A394", strings.Repeat("0", 41), "1 2", "٣,٤"} {
			u, err := format.Parse(text)
			if err == nil && format != Hex && format != HexReversed {
				t.Errorf("%s: %q is %x", format, text, u.Bytes())
			}
			if err != nil && len(text) > 2 && strings.Contains(err.Error(), text) {
				t.Errorf("%s: the error has what was read in it: %v", format, err)
			}
		}
	}
	if _, err := Format("octal").Parse("1"); err == nil || !strings.Contains(err.Error(), "decimal_reversed") {
		t.Errorf("an unknown format: %v", err)
	}
}

// The attack: a log, or a list of all hashes, that tells who was where.
func TestUIDsAreNotPrintedAndNotStored(t *testing.T) {
	u := must(t, 0x04, 0xA3, 0x94, 0x93, 0xCC, 0x86, 0x80)
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%X", "%d", "%s", "%q"} {
		for _, what := range []any{u, &u, struct{ U UID }{u}} {
			if text := strings.ToLower(fmt.Sprintf(verb, what)); strings.Contains(text, "a394") || strings.Contains(text, "163 148") || strings.Contains(text, "0xa3") {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
	one, two := bytes.Repeat([]byte{1}, KeySize), bytes.Repeat([]byte{2}, KeySize)
	a, err := u.Hash(one)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := u.Hash(two); err != nil || a == b {
		t.Errorf("the key makes no difference: %v", err)
	}
	if b, err := u.Hash(one); err != nil || a != b {
		t.Errorf("the hash is another each time: %v", err)
	}
	if _, err := u.Hash(one[1:]); err == nil {
		t.Error("a short key will do")
	}
	// A longer UID that begins with a shorter one, and a zero more, are other cards.
	short, long := must(t, 1, 2, 3, 4), must(t, 1, 2, 3, 4, 0)
	x, _ := short.Hash(one)
	y, _ := long.Hash(one)
	if short == long || x == y {
		t.Error("two cards have one UID")
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"04A39493", "77829267", "125,04567", "04:a3:94:93:cc:86:80"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range Formats {
			u, err := format.Parse(text)
			if err == nil && (len(u.Bytes()) < 4 || u.bytes == [most]byte{}) || err != nil && u != (UID{}) {
				t.Errorf("%s: %q is %x, %v", format, text, u.Bytes(), err)
			}
		}
	})
}
