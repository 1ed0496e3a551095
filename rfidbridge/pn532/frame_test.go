package pn532

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"testing"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Frames of the manual (UM0701-02, 6.2.1 and 7.2.2) and a long one.
func TestFramesAreAsTheManualHasThem(t *testing.T) {
	if got := hex.EncodeToString(appendFrame(nil, []byte{0xD4, 0x02})); got != "0000ff02fed4022a00" {
		t.Errorf("GetFirmwareVersion is %s", got)
	}
	for frame, want := range map[string]string{
		"0000ff06fad50332010607e800": "d50332010607",
		"0000ff00ff00":               "", // acknowledged
		"0000ffff0000":               "", // not acknowledged
		"0000ff01ff7f8100":           "7f",
	} {
		got, err := readFrame(bufio.NewReader(bytes.NewReader(unhex(t, frame))))
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%s carries %x, %v, want %s", frame, got, err, want)
		}
	}
	for n := range mostFrame {
		content := slices.Repeat([]byte{0xA5}, n+1)
		got, err := readFrame(bufio.NewReader(bytes.NewReader(appendFrame(nil, content))))
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("of %d bytes come %d, %v", len(content), len(got), err)
		}
	}
}

// Whatever is on the line before a frame, the frame is found; what came damaged is not
// believed.
func TestAFrameIsFoundInNoise(t *testing.T) {
	frame := unhex(t, "0000ff06fad50332010607e800")
	for _, noise := range []string{"", "00", "ff", "0000", "00ff", "0000ff", "0000ff06", "00ff05", "ff00ff0000", "5500ffff", "0000ffffff", "0000ffffff0109f5", "0000ffffff7fff82"} {
		in := bufio.NewReader(bytes.NewReader(append(unhex(t, noise), frame...)))
		got, err := readFrame(in)
		for len(got) == 0 && err == nil || errors.Is(err, errDamaged) { // noise that looked like one
			got, err = readFrame(in)
		}
		if hex.EncodeToString(got) != "d50332010607" {
			t.Errorf("behind %s comes %x, %v", noise, got, err)
		}
	}
	for i := 5; i < len(frame)-1; i++ {
		broken := bytes.Clone(frame)
		broken[i] ^= 0x04
		if got, err := readFrame(bufio.NewReader(bytes.NewReader(broken))); !errors.Is(err, errDamaged) {
			t.Errorf("damaged at %d it carries %x, %v", i, got, err)
		}
	}
	if _, err := readFrame(bufio.NewReader(bytes.NewReader(frame[:9]))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("of half a frame: %v", err)
	}
}

// Whatever comes over the line, reading it ends, without a panic and within the limit.
func FuzzReadFrame(f *testing.F) {
	for _, text := range []string{"0000ff06fad50332010607e800", "0000ff00ff00", "0000ffffff0109f6d541", "00ff01ff7f8100", "00ff00ff00ff"} {
		f.Add(unhex(f, text))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		in := bufio.NewReader(bytes.NewReader(line))
		for frames := 0; ; frames++ {
			content, err := readFrame(in)
			if err != nil && !errors.Is(err, errDamaged) {
				return
			}
			if len(content) > mostFrame || frames > len(line) {
				t.Fatalf("frame %d carries %d bytes", frames, len(content))
			}
			if len(content) > 2 {
				_, _ = parseTarget(content[2:])
				_, _, _ = cutStatus(content[2:])
			}
		}
	})
}
