package bridge

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/emv"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/frames"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/reader"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
)

// ReaderConfig is one reader, or all that pcscd has.
type ReaderConfig struct {
	Driver string     `json:"driver"` // pcsc, serial, lines, keyboard or stdin
	Name   string     `json:"name"`   // of pcsc a pattern of readers' names; else how it is called
	Path   string     `json:"path"`   // of serial, lines and keyboard: the device
	Format uid.Format `json:"format"` // of lines, keyboard and stdin; default: hex
}

// rdmHeld is how long after its last frame a card counts as gone: modules write ten a second.
const rdmHeld = 500 * time.Millisecond

// driver is what watches the reader; bank reads bank cards, where they are taken.
func (r ReaderConfig) driver(bank *emv.Terminal) (reader.Driver, error) {
	format := r.Format
	if format == "" {
		format = uid.Hex
	}
	if !slices.Contains(uid.Formats, format) {
		return nil, fmt.Errorf("format %q: it is one of %v", r.Format, uid.Formats)
	}
	s := reader.Stream{Name: r.Name}
	if s.Name == "" {
		s.Name = r.Driver + " " + r.Path
	}
	lines := func(in io.Reader, read frames.Read) error { return frames.Lines(in, format, read) }
	switch r.Driver {
	case "pcsc":
		return reader.PCSC{Names: r.Name, BankCards: bank}, nil
	case "stdin":
		s.Open = func(context.Context) (io.ReadCloser, error) { return os.Stdin, nil }
		s.Frames, s.Once = lines, true
		return s, nil
	case "serial":
		s.Open, s.Frames, s.Held = reader.OpenSerial(r.Path), frames.RDM6300, rdmHeld
	case "lines":
		s.Open, s.Frames = reader.OpenSerial(r.Path), lines
	case "keyboard":
		s.Open = reader.OpenKeyboard(r.Path)
		s.Frames = func(in io.Reader, read frames.Read) error { return frames.Wedge(in, format, read) }
	default:
		return nil, fmt.Errorf("driver %q: it is pcsc, serial, lines, keyboard or stdin", r.Driver)
	}
	if r.Path == "" {
		return nil, fmt.Errorf("the driver %s needs a path, such as /dev/ttyUSB0", r.Driver)
	}
	return s, nil
}
