package reader

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/frames"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

func lines(r io.Reader, read frames.Read) error { return frames.Lines(r, uid.Hex, read) }

// A reader that writes a card's number again and again while it lies there tells of it once.
func TestACardThatIsWrittenAgainIsOneCard(t *testing.T) {
	device, writer := io.Pipe()
	l := listen(t, Stream{
		Name: "gate", Open: func(context.Context) (io.ReadCloser, error) { return device, nil }, Frames: frames.RDM6300, Held: 100 * time.Millisecond,
	})
	const one, other = "\x020000FFFFFFFF\x03", "\x020000FFFF0000\x03"
	write := func(text string) {
		if _, err := io.WriteString(writer, text); err != nil {
			t.Error(err)
		}
	}
	for range 5 {
		write(one)
		time.Sleep(10 * time.Millisecond)
	}
	l.wants(t, "arrived", "gate")
	write("\x020000FFFFFF01\x03") // noise while it lies there
	write(other)
	l.wants(t, "gone", "gate")
	l.wants(t, "arrived", "gate")
	l.wants(t, "gone", "gate") // nobody writes any more
	write("\x020000FFFFFF01\x03")
	l.wants(t, "unread", "gate")
	write(other)
	l.wants(t, "arrived", "gate")
}

// A reader is unplugged and plugged in again.
func TestADeviceIsOpenedAgain(t *testing.T) {
	opened := make(chan *io.PipeWriter, 10)
	missing := 2
	l := listen(t, Stream{Name: "counter", Frames: lines, Open: func(context.Context) (io.ReadCloser, error) {
		if missing > 0 {
			missing--
			return nil, os.ErrNotExist
		}
		device, writer := io.Pipe()
		opened <- writer
		return device, nil
	}})
	l.wants(t, "ill", "counter")
	for range 2 {
		writer := <-opened
		if _, err := io.WriteString(writer, "04010203040506\n"); err != nil {
			t.Fatal(err)
		}
		if e := l.wants(t, "arrived", "counter"); e.shown.UID != number(t, 4, 1, 2, 3, 4, 5, 6) {
			t.Errorf("it shows %v", e.shown)
		}
		l.wants(t, "gone", "counter")
		writer.CloseWithError(errors.New("unplugged"))
		l.wants(t, "ill", "counter")
	}
}

func TestStandardInputIsReadOnce(t *testing.T) {
	l := make(listener, 10)
	err := Stream{
		Name: "stdin", Once: true, Frames: lines,
		Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("04010203040506\n04010203040506\n")), nil
		},
	}.Run(t.Context(), l)
	if !errors.Is(err, io.EOF) {
		t.Errorf("at its end: %v", err)
	}
	for range 2 {
		l.wants(t, "arrived", "stdin")
		l.wants(t, "gone", "stdin")
	}
}

func TestAFileIsNoDevice(t *testing.T) {
	path := t.TempDir() + "/file"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(context.Context) (io.ReadCloser, error){OpenSerial(path), OpenKeyboard(path), OpenSerial(path + "none"), OpenKeyboard(path + "none")} {
		if _, err := open(t.Context()); err == nil {
			t.Error("it is opened")
		}
	}
}
