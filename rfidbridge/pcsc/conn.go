package pcsc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// DefaultSocket is where pcscd listens.
const DefaultSocket = "/run/pcscd/pcscd.comm"

// Commands of the protocol.
const (
	establishContext = 0x01
	connectCard      = 0x04
	disconnectCard   = 0x06
	transmit         = 0x09
	control          = 0x0A
	version          = 0x11
	getReadersState  = 0x12
	waitStateChange  = 0x13
	getStatesSize    = 0x16
	getStates        = 0x17
)

// The protocol: one major, and the minors of the daemons there have been.
const (
	major       = 4
	leastMinor  = 4
	newestMinor = 6
)

var order = binary.NativeEndian

// words is a body of 32-bit fields.
func words(fields ...uint32) []byte {
	b := make([]byte, 0, 4*len(fields))
	for _, f := range fields {
		b = order.AppendUint32(b, f)
	}
	return b
}

// word is the n-th field of a body.
func word(b []byte, n int) uint32 { return order.Uint32(b[4*n:]) }

// conn is one connection. After an error it is of no more use. It is not safe for
// concurrent use, but for close.
type conn struct {
	socket  net.Conn
	timeout time.Duration // of one answer
}

// dial connects and agrees on the protocol. minor is the one to try first.
func dial(ctx context.Context, path string, timeout time.Duration, minor uint32) (*conn, uint32, error) {
	for range 2 {
		c, said, err := dialOnce(ctx, path, timeout, minor)
		if err != nil || c != nil {
			return c, said, err
		}
		minor = said // which is the daemon's own
	}
	return nil, 0, ErrProtocol
}

// dialOnce returns no connection where the daemon wants another minor, and that.
func dialOnce(ctx context.Context, path string, timeout time.Duration, minor uint32) (*conn, uint32, error) {
	var d net.Dialer
	socket, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, 0, fmt.Errorf("%w at %s: %w", ErrDaemon, path, err)
	}
	c := &conn{socket: socket, timeout: timeout}
	answer, err := c.ask(version, words(major, minor, 0))
	if err != nil {
		c.close()
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
			return nil, 0, ErrRefused
		}
		return nil, 0, err
	}
	said := word(answer, 1)
	if word(answer, 2) == 0 {
		return c, minor, nil
	}
	c.close()
	if word(answer, 0) != major || said < leastMinor || said > newestMinor || said == minor {
		return nil, 0, fmt.Errorf("%w: %d:%d", ErrProtocol, word(answer, 0), said)
	}
	return nil, said, nil
}

func (c *conn) close() { _ = c.socket.Close() }

// send sends a command, and what follows its body.
func (c *conn) send(command uint32, body []byte, more ...[]byte) error {
	message := append(words(uint32(len(body)), command), body...)
	for _, m := range more {
		message = append(message, m...)
	}
	return c.fails(c.socket.SetDeadline(time.Now().Add(c.timeout)), func() error {
		_, err := c.socket.Write(message)
		return err
	})
}

// receive reads so many bytes.
func (c *conn) receive(n int) ([]byte, error) {
	b := make([]byte, n)
	return b, c.fails(nil, func() error {
		_, err := io.ReadFull(c.socket, b)
		return err
	})
}

// fails says that the daemon is gone where do fails.
func (c *conn) fails(err error, do func() error) error {
	if err == nil {
		err = do()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDaemon, err)
	}
	return nil
}

// ask sends a command whose answer is as long as its body.
func (c *conn) ask(command uint32, body []byte, more ...[]byte) ([]byte, error) {
	if err := c.send(command, body, more...); err != nil {
		return nil, err
	}
	return c.receive(len(body))
}
