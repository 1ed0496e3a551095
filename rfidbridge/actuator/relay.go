package actuator

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial"
)

// SerialRelay opens by switching a relay on a serial line on and off again (9600 baud). It
// is told only, and does not answer: Done is that the line has taken the words.
type SerialRelay struct {
	Path    string
	On, Off []byte
	Pulse   time.Duration // at most MostPulse
}

// LCUS are the words of LCUS-1 and its likes, boards with a CH340 and some relays: A0, the
// relay from 1 on, 1 or 0, and the sum of these.
func LCUS(relay byte) (on, off []byte) {
	const begin = 0xA0
	return []byte{begin, relay, 1, begin + relay + 1}, []byte{begin, relay, 0, begin + relay}
}

const (
	relayBaud = 9600
	taken     = time.Second // within which a line takes some bytes
	offTries  = 20          // to say off
	offPause  = 100 * time.Millisecond
)

// Open implements [Actuator].
func (r *SerialRelay) Open(ctx context.Context, _ Opening) (Outcome, error) {
	if err := ctx.Err(); err != nil {
		return refused("it is too late to open: %w", err)
	}
	line, err := serial.Open(r.Path, relayBaud)
	if err != nil {
		return refused("the relay: %w", err)
	}
	defer line.Close()
	return pulse(ctx, func(active bool) error {
		if active {
			return say(line, r.On)
		}
		if say(line, r.Off) == nil {
			return nil
		}
		return r.offAnew()
	}, r.Pulse, nil)
}

// Reset implements [Resetter].
func (r *SerialRelay) Reset(context.Context) error { return r.off() }

// offAnew says off on a line that has failed: adapters which lose the bus when the relay's
// coil switches are back a moment later.
func (r *SerialRelay) offAnew() (err error) {
	for range offTries {
		time.Sleep(offPause)
		if err = r.off(); err == nil {
			return nil
		}
	}
	return err
}

func (r *SerialRelay) off() error {
	line, err := serial.Open(r.Path, relayBaud)
	if err != nil {
		return err
	}
	return errors.Join(say(line, r.Off), line.Close())
}

func say(line *os.File, words []byte) error {
	if err := line.SetWriteDeadline(time.Now().Add(taken)); err != nil {
		return err
	}
	_, err := line.Write(words)
	return err
}
