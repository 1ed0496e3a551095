package virtual

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// Transmitter is a card that can lie on a virtual reader. One that also has a method Reset
// is told when it gets its power, and when it loses it.
type Transmitter interface {
	Transmit(apdu []byte) []byte
}

// The one-byte messages of vpcd, the virtual reader of vsmartcard; of them the last alone
// wants an answer.
const (
	vpcdReset = 2 // 0 is power off, 1 power on
	vpcdATR   = 4
)

// Lie lays a card on the virtual reader that listens at an address, with an ATR, until ctx
// ends: then it is taken away. It returns nil then, and else why it could not go on.
//
// vpcd sends a length and what it is of in two parts and waits between them for the first
// to be acknowledged, which the system puts off for 40 ms: hurry is called before each part
// is read, to have it do so at once. It may be nil.
func Lie(ctx context.Context, address string, atr []byte, t Transmitter, hurry func(net.Conn)) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	for {
		message, err := receive(conn, hurry)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was taken away
		}
		if err != nil {
			return err
		}
		answer := atr
		switch {
		case len(message) > 1:
			answer = t.Transmit(message)
		case len(message) == 1 && message[0] == vpcdATR:
		case len(message) == 1 && message[0] <= vpcdReset:
			if r, can := t.(interface{ Reset() }); can {
				r.Reset()
			}
			continue
		default:
			return errors.New("the virtual reader says what no version has said")
		}
		framed := binary.BigEndian.AppendUint16(nil, uint16(len(answer)))
		if _, err := conn.Write(append(framed, answer...)); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// receive reads a message: its length in two bytes, and it.
func receive(conn net.Conn, hurry func(net.Conn)) ([]byte, error) {
	read := func(part []byte) error {
		if hurry != nil {
			hurry(conn)
		}
		_, err := io.ReadFull(conn, part)
		return err
	}
	var size [2]byte
	if err := read(size[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(size[:]))
	return message, read(message)
}
