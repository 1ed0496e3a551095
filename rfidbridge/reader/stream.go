package reader

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/frames"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Stream reads the numbers that a reader writes: to a serial line, as a keyboard, or to
// another program's output. Such cards prove nothing.
type Stream struct {
	Name string
	// Open opens the device. It is called again when it ends. The default, with Once,
	// reads no more.
	Open func(ctx context.Context) (io.ReadCloser, error)
	Once bool
	// Frames reads the device's frames: frames.RDM6300, or frames.Lines and frames.Wedge
	// with a format.
	Frames func(r io.Reader, read frames.Read) error
	// Held is how long after its last frame a card counts as gone, for readers that go on
	// writing while a card lies there. Zero: each number is a card that is gone at once.
	Held time.Duration
}

// OpenSerial opens a serial line at 9600 baud, which is what readers speak.
func OpenSerial(path string) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) {
		line, err := serial.Open(path, 9600)
		if err != nil {
			return nil, err
		}
		return line, nil
	}
}

// Run implements [Driver].
func (d Stream) Run(ctx context.Context, sink Sink) error {
	if d.Once {
		return d.watch(ctx, sink)
	}
	return again(ctx, sink, d.Name, func(ctx context.Context) error { return d.watch(ctx, sink) })
}

// frame is what was read, or why nothing was.
type frame struct {
	number uid.UID
	err    error
}

func (d Stream) watch(ctx context.Context, sink Sink) error {
	device, err := d.Open(ctx)
	if err != nil {
		return err
	}
	defer device.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read, ended := make(chan frame), make(chan error, 1)
	go func() {
		ended <- d.Frames(device, func(number uid.UID, err error) {
			select {
			case read <- frame{number, err}:
			case <-ctx.Done():
			}
		})
	}()
	sink.Health(d.Name, nil)
	return d.follow(ctx, sink, read, ended)
}

// follow tells of the frames until there are no more, or ctx ends; the device is closed
// then, which ends whoever reads it.
func (d Stream) follow(ctx context.Context, sink Sink, read <-chan frame, ended <-chan error) error {
	var here uid.UID
	gone := time.NewTimer(time.Hour)
	gone.Stop()
	leave := func() {
		if here != (uid.UID{}) {
			here = uid.UID{}
			sink.Gone(d.Name)
		}
	}
	defer leave()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			if err == nil {
				err = fmt.Errorf("the reader has ended: %w", io.EOF)
			}
			return err
		case <-gone.C:
			leave()
		case f := <-read:
			switch {
			case f.err != nil:
				if here == (uid.UID{}) {
					sink.Unread(d.Name, f.err)
				}
				continue
			case f.number != here:
				leave()
				here = f.number
				sink.Arrived(d.Name, wire.Card{UID: f.number}, nil)
			}
			if gone.Reset(d.Held); d.Held == 0 {
				leave()
			}
		}
	}
}
