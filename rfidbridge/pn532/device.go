package pn532

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Port is a serial line, at 115200 baud.
type Port interface {
	io.ReadWriteCloser
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// Device is a chip on a line. It is for one goroutine. Once it has failed otherwise than by
// ErrCard, it fails for good: an answer that was not waited for must not be taken for the
// next one's.
type Device struct {
	port   Port
	in     *bufio.Reader
	failed error
}

// The commands (7).
const (
	diagnose            = 0x00
	getFirmwareVersion  = 0x02
	samConfiguration    = 0x14
	rfConfiguration     = 0x32
	inDataExchange      = 0x40
	inCommunicateThru   = 0x42
	inListPassiveTarget = 0x4A
)

// How long an answer is waited for: of the chip itself, and of a card through it, which may
// ask for more time again and again.
const (
	chipTime = 500 * time.Millisecond
	cardTime = 3 * time.Second
	tries    = 3 // of a command that does no harm twice, and to have an answer once more
)

// ErrSilent is a line at whose other end there is no chip, or none that answers.
var ErrSilent = errors.New("no PN532 answers: is it wired for HSU (UART), and RX to TX?")

var errNoCommand = errors.New("the reader does not know a command of the PN532")

// Open wakes the chip at the other end of a line, and has it ready to look for cards.
func Open(port Port) (*Device, error) {
	d := &Device{port: port, in: bufio.NewReaderSize(port, 2*mostFrame)}
	wake := append([]byte{0x55, 0x55}, make([]byte, 14)...) // it sleeps, and hears the beginning only
	if err := d.write(append(wake, ack...)); err != nil {   // which ends what it was doing
		return nil, err
	}
	const normal, seldom, passiveOnly = 0x01, 0x00, 0x02
	for _, step := range [][]byte{
		{samConfiguration, normal, 0x00, 0x00},
		{rfConfiguration, 0x05, seldom, 0x01, passiveOnly}, // how often it tries: a card lies there or does not
	} {
		if _, err := d.ask(step...); err != nil {
			return nil, err
		}
	}
	version, err := d.ask(getFirmwareVersion)
	if err != nil {
		return nil, err
	}
	if len(version) != 4 || version[0] != 0x32 {
		return nil, fmt.Errorf("the reader is no PN532, and says that it is %x", version)
	}
	return d, nil
}

// ask sends a command that does no harm twice, until it is answered.
func (d *Device) ask(command ...byte) (answer []byte, err error) {
	if d.failed != nil {
		return nil, d.failed
	}
	for range tries {
		if answer, err = d.call(chipTime, command); !errors.Is(err, ErrSilent) {
			break
		}
	}
	d.failed = err
	return answer, err
}

// carry sends a command that says something to the card, once.
func (d *Device) carry(command ...byte) (answer []byte, err error) {
	if d.failed == nil {
		answer, d.failed = d.call(cardTime, command)
	}
	return answer, d.failed
}

// call sends a command and waits for its answer, what comes behind the command's number.
func (d *Device) call(within time.Duration, command []byte) ([]byte, error) {
	if err := d.write(appendFrame(nil, append([]byte{fromHost}, command...))); err != nil {
		return nil, err
	}
	if err := d.port.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	for damaged := 0; ; {
		content, err := readFrame(d.in)
		switch {
		case errors.Is(err, errDamaged) && damaged < tries:
			damaged++
			if err := d.write(nack); err != nil { // once more, please
				return nil, err
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, errors.Join(ErrSilent, d.write(ack)) // it need not go on
		case err != nil:
			return nil, err
		case bytes.Equal(content, []byte{noCommand}):
			return nil, errNoCommand
		case len(content) >= 2 && content[0] == fromChip && content[1] == command[0]+1:
			return content[2:], nil
		}
		// Else it is an acknowledgement, or something of before.
	}
}

func (d *Device) write(b []byte) error {
	if err := d.port.SetWriteDeadline(time.Now().Add(chipTime)); err != nil {
		return err
	}
	_, err := d.port.Write(b)
	return err
}
