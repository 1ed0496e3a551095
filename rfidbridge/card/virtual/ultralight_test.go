package virtual

import (
	"bytes"
	"errors"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// through carries a frame as a reader does.
func through(t *testing.T, u *Ultralight, frame []byte) []byte {
	t.Helper()
	answer := u.Transmit(append([]byte{0xFF, 0x00, 0x00, 0x00, byte(len(frame) + 2), 0xD4, 0x42}, frame...))
	end := len(answer) - 2
	if end < 3 || !bytes.Equal(answer[:3], b("D54300")) || !bytes.Equal(answer[end:], done) {
		t.Fatalf("the reader answers %X", answer)
	}
	return answer[3:end]
}

func openUltralight(t *testing.T, u *Ultralight, number byte, k card.Key) error {
	t.Helper()
	a := card.NewUltralight(number, k)
	command, err := a.Ask()
	if err != nil {
		t.Fatal(err)
	}
	if command, err = a.Reply(through(t, u, command)); err != nil {
		t.Fatal(err)
	}
	_, err = a.Open(through(t, u, command))
	return err
}

func TestAnUltralightIsOpenedWithTheKeysThatWereWritten(t *testing.T) {
	u := NewUltralight(number)
	if err := openUltralight(t, u, 0, card.Key{}); err != nil {
		t.Fatalf("the factory's key: %v", err)
	}
	k := ours[3]
	for page := range 4 {
		last := len(k) - 1 - page*pageSize
		wants(t, "the answer", u.Transmit([]byte{0xFF, 0xD6, 0x00, byte(keyPage + page), 4, k[last], k[last-1], k[last-2], k[last-3]}), "9000")
	}
	if err := openUltralight(t, u, 0, k); err != nil {
		t.Errorf("the key that was written: %v", err)
	}
	if err := openUltralight(t, u, 1, card.Key{}); err != nil {
		t.Errorf("the other key, which was not: %v", err)
	}
	if err := openUltralight(t, u, 0, card.Key{}); !errors.Is(err, card.ErrRefused) || u.Failures() != 1 {
		t.Errorf("the factory's key still does: %v", err)
	}
	wants(t, "the pages of the key", through(t, u, []byte{0x30, keyPage}), "00000000000000000000000000000000")
}

func TestPagesOfAnUltralightAreClosedToStrangers(t *testing.T) {
	u := NewUltralight(number)
	wants(t, "writing the configuration", through(t, u, b("A229 00000004")), "0A")
	wants(t, "a stranger's writing", through(t, u, b("A204 01020304")), "00")
	if got := through(t, u, b("3004")); len(got) != 16 {
		t.Errorf("a stranger reads %X", got)
	}
	if err := openUltralight(t, u, 1, card.Key{}); err != nil {
		t.Fatal(err)
	}
	wants(t, "the writing of whoever has the second key", through(t, u, b("A204 01020304")), "00")
	if err := openUltralight(t, u, 0, card.Key{}); err != nil {
		t.Fatal(err)
	}
	wants(t, "the writing of whoever has the first key", through(t, u, b("A204 01020304")), "0A")
	wants(t, "reading with protection", through(t, u, b("A22A 80050000")), "0A")
	u.Reset()
	wants(t, "a stranger's reading", through(t, u, b("3004")), "00")
	wants(t, "the reader's command for it", u.Transmit(b("FFB0000410")), "6A82")
}

func TestAnUltralightShowsItsNumberAndKind(t *testing.T) {
	u := NewUltralight(number)
	wants(t, "its number", u.Transmit(b("FFCA000000")), "04A39493CC8680 9000")
	wants(t, "its first page", u.Transmit(b("FFB0000004")), "04A394BB 9000")
	wants(t, "its version", through(t, u, b("60")), "00040301 04000F03")
	xor := byte(0)
	for _, b := range UltralightATR[1:] {
		xor ^= b
	}
	if xor != 0 {
		t.Errorf("the ATR's last byte does not go with it: %02X", xor)
	}
	u.Frame(b("A203E1101200"))
	u.Frame(b("A20300000000"))
	wants(t, "the page that is never cleared", u.Frame(b("3003"))[:4], "E1101200")
}

func FuzzUltralight(f *testing.F) {
	for _, seed := range []string{"FF00000004D4421A00", "FFB0000410", "FFD60003 04 E1101200", "FF000000", "FFCA000000", "FF00000003D44260"} {
		f.Add(b(seed))
	}
	f.Fuzz(func(t *testing.T, command []byte) {
		if answer := NewUltralight(number).Transmit(command); len(answer) < 2 {
			t.Errorf("%X is answered with %X", command, answer)
		}
	})
}
