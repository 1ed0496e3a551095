package bridge

import (
	"cmp"
	"context"
	"errors"
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
	Driver string     `json:"driver"` // pcsc, pn532, serial, lines, keyboard, exec or stdin
	Name   string     `json:"name"`   // of pcsc a pattern of readers' names; else how it is called
	Path   string     `json:"path"`   // of pn532, serial, lines and keyboard: the device
	Exec   []string   `json:"exec"`   // of exec: a program and its arguments
	Format uid.Format `json:"format"` // of lines, keyboard, exec and stdin; default: hex
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
	if err := r.checkDevice(); err != nil {
		return nil, err
	}
	device := r.Path
	if r.Driver == "exec" {
		device = r.Exec[0]
	}
	s := reader.Stream{Name: cmp.Or(r.Name, r.Driver+" "+device)}
	lines := func(in io.Reader, read frames.Read) error { return frames.Lines(in, format, read) }
	switch r.Driver {
	case "pcsc":
		return reader.PCSC{Names: r.Name, BankCards: bank}, nil
	case "pn532":
		return reader.PN532{Name: s.Name, Path: r.Path, BankCards: bank}, nil
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
	case "exec":
		s.Open, s.Frames = reader.OpenProgram(r.Exec), lines
	}
	return s, nil
}

// sink is whom the reader's driver tells.
func (r ReaderConfig) sink(to reader.Sink, settle time.Duration) reader.Sink {
	switch r.Driver {
	case "pcsc", "pn532", "serial":
		return reader.Settling(to, settle)
	}
	return to // a number that is written is a tap
}

// checkDevice finds out whether it is said what the driver is to watch.
func (r ReaderConfig) checkDevice() error {
	switch r.Driver {
	case "pcsc", "stdin":
	case "pn532", "serial", "lines", "keyboard":
		if r.Path == "" {
			return fmt.Errorf("the driver %s needs a path, such as /dev/ttyUSB0", r.Driver)
		}
	case "exec":
		if len(r.Exec) == 0 || r.Exec[0] == "" || r.Path != "" {
			return errors.New(`the driver exec needs a program, such as "exec": ["/usr/local/bin/reader"], and no path`)
		}
	default:
		return fmt.Errorf("driver %q: it is pcsc, pn532, serial, lines, keyboard, exec or stdin", r.Driver)
	}
	return nil
}
