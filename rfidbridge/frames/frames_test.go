package frames

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

// heard is what a reader's bytes have become.
type heard struct {
	cards []string
	errs  []error
}

func (h *heard) read(card uid.UID, err error) {
	if err != nil {
		h.errs = append(h.errs, err)
		return
	}
	h.cards = append(h.cards, fmt.Sprintf("%X", card.Bytes()))
}

// The frame of the card 62 E3 08 6C ED, whose bytes have the XOR 08.
const frame = "\x0262E3086CED08\x03"

func TestFramesOf125KilohertzReaders(t *testing.T) {
	for what, c := range map[string]struct {
		wire  string
		cards int
		err   error
	}{
		"a frame":                     {frame, 1, nil},
		"one with the end of a line":  {"\x0262E3086CED08\r\n\x03", 1, nil},
		"a card that lies there":      {strings.Repeat(frame, 5), 5, nil},
		"noise around it":             {"\xFF\x00\x03abc" + frame + "62E3\x03\r\n", 1, nil},
		"half a frame before it":      {"086CED08\x03" + frame, 1, nil},
		"one that was cut":            {"\x0262E3" + frame, 1, nil},
		"one that never ends":         {"\x0262E3086CED08", 0, nil},
		"a wrong checksum":            {"\x0262E3086CED09\x03", 0, errChecksum},
		"a digit that is none":        {"\x0262E3086CEG08\x03", 0, errFrame},
		"too few digits":              {"\x0262E308\x03", 0, errFrame},
		"too many":                    {"\x02" + strings.Repeat("0", 1000) + "\x03" + frame, 1, errFrame},
		"no card":                     {"\x02000000000000\x03", 0, errFrame},
		"small digits, as some write": {strings.ToLower(frame), 1, nil},
	} {
		for way, wire := range map[string]io.Reader{"whole": strings.NewReader(c.wire), "byte by byte": iotest.OneByteReader(strings.NewReader(c.wire))} {
			var h heard
			if err := RDM6300(wire, h.read); err != nil {
				t.Errorf("%s, %s: %v", what, way, err)
			}
			if len(h.cards) != c.cards || slices.ContainsFunc(h.cards, func(card string) bool { return card != "62E3086CED" }) {
				t.Errorf("%s, %s: the cards are %v", what, way, h.cards)
			}
			if (c.err == nil) != (len(h.errs) == 0) || c.err != nil && !errors.Is(h.errs[0], c.err) {
				t.Errorf("%s, %s: %v", what, way, h.errs)
			}
		}
	}
}

func TestLinesOfOtherReaders(t *testing.T) {
	long := strings.Repeat("9", 10_000)
	wire := "\r\n04A39493\r\n\n04:A3:94:93:CC:86:80\rno card\n" + long + "\n04A39493\n04A394"
	var h heard
	if err := Lines(iotest.OneByteReader(strings.NewReader(wire)), uid.Hex, h.read); err != nil {
		t.Fatal(err)
	}
	if want := []string{"04A39493", "04A39493CC8680", "04A39493"}; !slices.Equal(h.cards, want) {
		t.Errorf("the cards are %v, want %v", h.cards, want)
	}
	if len(h.errs) != 2 || !errors.Is(h.errs[1], errLine) {
		t.Errorf("the errors are %v", h.errs)
	}
}

func TestAReaderThatFailsIsSaid(t *testing.T) {
	gone := errors.New("unplugged")
	for what, run := range map[string]func(io.Reader, Read) error{
		"frames": RDM6300, "lines": func(r io.Reader, read Read) error { return Lines(r, uid.Hex, read) },
	} {
		var h heard
		err := run(io.MultiReader(strings.NewReader(frame+"\n"), iotest.ErrReader(gone)), h.read)
		if !errors.Is(err, gone) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte(frame))
	f.Add([]byte("04A39493\r\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		var whole, pieces heard
		for h, r := range map[*heard]io.Reader{&whole: bytes.NewReader(wire), &pieces: iotest.OneByteReader(bytes.NewReader(wire))} {
			if err := RDM6300(r, h.read); err != nil {
				t.Error(err)
			}
		}
		if !slices.Equal(whole.cards, pieces.cards) || len(whole.cards)*(rdmDigits+2) > len(wire) {
			t.Errorf("%q reads as %v, and in pieces as %v", wire, whole.cards, pieces.cards)
		}
		var h heard
		if err := Lines(bytes.NewReader(wire), uid.DecimalReversed, h.read); err != nil || len(h.cards) > len(wire) {
			t.Errorf("%v, %v", h.cards, err)
		}
	})
}
