package frames

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

// keyboard writes the events of keys.
type keyboard struct {
	bytes.Buffer
	now time.Duration
}

func (k *keyboard) event(kind, code uint16, value uint32) {
	number := func(n int64) {
		if wordSize == 8 {
			k.Write(binary.NativeEndian.AppendUint64(nil, uint64(n)))
		} else {
			k.Write(binary.NativeEndian.AppendUint32(nil, uint32(n)))
		}
	}
	number(int64(k.now / time.Second))
	number(int64(k.now % time.Second / time.Microsecond))
	k.Write(binary.NativeEndian.AppendUint16(nil, kind))
	k.Write(binary.NativeEndian.AppendUint16(nil, code))
	k.Write(binary.NativeEndian.AppendUint32(nil, value))
}

// types presses keys, each so long after the one before.
func (k *keyboard) types(every time.Duration, codes ...uint16) {
	for _, code := range codes {
		k.now += every
		k.event(4, 4, uint32(code)) // the scan code, as real ones do
		k.event(keyEvent, code, pressed)
		k.event(keyEvent, code, 2)
		k.event(keyEvent, code, 0)
		k.event(0, 0, 0)
	}
}

// 04A39493, with capitals by Shift where the reader does so.
var number = []uint16{11, 5, keyLeftShift, 30, 4, 10, 5, 10, 4}

func TestAReaderThatPlaysAKeyboard(t *testing.T) {
	k := &keyboard{now: 1_000_000 * time.Second}
	k.types(5*time.Millisecond, append(slices.Clone(number), keyEnter)...)
	k.types(5*time.Millisecond, keyEnter, keyEnter) // of nothing
	k.types(40*time.Millisecond, append(slices.Clone(number), keyTab)...)
	k.types(5*time.Millisecond, 82, 75, keyLeftShift, 30, 81, 73, 75, 73, 81, keypadEnter) // of the keypad
	k.types(5*time.Millisecond, 16, 17, keyEnter)                                          // q, w
	k.types(120*time.Millisecond, append(slices.Clone(number), keyEnter)...)               // a person
	for range 3 * mostLine {
		k.types(time.Millisecond, 2)
	}
	k.types(time.Millisecond, keyEnter)
	k.types(5*time.Millisecond, append(slices.Clone(number), keyEnter)...)
	k.types(5*time.Millisecond, number...) // unplugged
	k.Truncate(k.Len() - 3)
	var h heard
	if err := Wedge(iotest.OneByteReader(k), uid.Hex, h.read); err != nil {
		t.Fatal(err)
	}
	if want := []string{"04A39493", "04A39493", "04A39493", "04A39493"}; !slices.Equal(h.cards, want) {
		t.Errorf("the cards are %v, want %v", h.cards, want)
	}
	if len(h.errs) != 3 || !errors.Is(h.errs[0], errLine) || !errors.Is(h.errs[1], errByHand) || !errors.Is(h.errs[2], errLine) {
		t.Errorf("the errors are %v", h.errs)
	}
}

// The attack: somebody types another card's number on the reader's own line.
func TestANumberTypedByHandIsNoCard(t *testing.T) {
	for _, every := range []time.Duration{81 * time.Millisecond, time.Second, -time.Millisecond} {
		k := &keyboard{now: time.Hour}
		k.types(every, append(slices.Clone(number), keyEnter)...)
		var h heard
		if err := Wedge(k, uid.Hex, h.read); err != nil || len(h.cards) != 0 || len(h.errs) != 1 || !errors.Is(h.errs[0], errByHand) {
			t.Errorf("every %v: %v, %v, %v", every, h.cards, h.errs, err)
		}
	}
}

// Devices are files and pipes: what is read from them comes as it comes.
func TestEventsComeThroughAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	k := &keyboard{now: time.Hour}
	k.types(time.Millisecond, append(slices.Clone(number), keyEnter)...)
	go func() {
		defer w.Close()
		for part := range slices.Chunk(k.Bytes(), 7) {
			if _, err := w.Write(part); err != nil {
				t.Error(err)
			}
		}
	}()
	var h heard
	if err := Wedge(r, uid.Hex, h.read); err != nil || !slices.Equal(h.cards, []string{"04A39493"}) {
		t.Errorf("%v, %v, %v", h.cards, h.errs, err)
	}
}

func FuzzWedge(f *testing.F) {
	k := &keyboard{now: time.Hour}
	k.types(time.Millisecond, append(slices.Clone(number), keyEnter)...)
	f.Add(k.Bytes())
	f.Fuzz(func(t *testing.T, events []byte) {
		var h heard
		if err := Wedge(bytes.NewReader(events), uid.Hex, h.read); err != nil || len(h.cards)+len(h.errs) > len(events)/eventSize {
			t.Errorf("%v, %v, %v", h.cards, h.errs, err)
		}
	})
}
