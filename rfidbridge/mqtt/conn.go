package mqtt

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"time"
)

// Broker is where one is, and who asks it.
type Broker struct {
	Address  string      // host and port
	TLS      *tls.Config // nil: without
	ClientID string      // empty: the broker chooses one
	User     string      // empty: nobody in particular
	Password string
}

// Conn is a connection to a broker. It is for one goroutine.
type Conn struct {
	conn net.Conn
	in   *bufio.Reader
	stop func() bool
	last uint16 // number of a packet that is answered
}

// idle is after how many seconds without a word a broker gives a connection up. None lasts
// so long.
const idle = 90

// Connect begins anew with a broker: whatever it has kept of this client is forgotten. All
// that is done with the connection ends with ctx.
func Connect(ctx context.Context, b Broker) (*Conn, error) {
	conn, err := dial(ctx, b)
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: conn, in: bufio.NewReader(conn)}
	c.stop = context.AfterFunc(ctx, c.abort)
	if err := c.greet(b); err != nil {
		c.Abort()
		return nil, err
	}
	return c, nil
}

func dial(ctx context.Context, b Broker) (net.Conn, error) {
	if b.TLS == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", b.Address)
	}
	return (&tls.Dialer{Config: b.TLS}).DialContext(ctx, "tcp", b.Address)
}

func (c *Conn) greet(b Broker) error {
	const clean, password, user, maximumPacketSize = 0x02, 0x40, 0x80, 0x27
	flags := byte(clean)
	if b.User != "" {
		flags |= user | password
	}
	body := append(text(nil, "MQTT"), 5, flags)
	body = binary.BigEndian.AppendUint16(body, idle)
	body = append(body, 5, maximumPacketSize) // the length of the properties, and the only one
	body = binary.BigEndian.AppendUint32(body, mostPacket)
	body = text(body, b.ClientID)
	if b.User != "" {
		body = text(text(body, b.User), b.Password)
	}
	if err := c.send(connect, body); err != nil {
		return err
	}
	answer, err := readPacket(c.in)
	if err != nil {
		return err
	}
	f := fields{rest: answer.body}
	f.byte() // whether it knew the client
	if reason := ReasonError(f.byte()); answer.kind() != connack || f.err != nil {
		return errPacket
	} else if reason != 0 {
		return reason
	}
	return nil
}

// Subscribe asks for a topic's messages, from now on, and waits until they will come.
func (c *Conn) Subscribe(topic string) error {
	const noRetained = 2 << 4 // and at most once: what is lost with the connection is lost
	number := c.next()
	body := append(binary.BigEndian.AppendUint16(nil, number), 0) // without properties
	if err := c.send(subscribe|0x02, append(text(body, topic), noRetained)); err != nil {
		return err
	}
	event, err := c.Receive()
	switch {
	case err != nil:
		return err
	case event.Message != nil || event.Answers != number:
		return errPacket
	case event.Reason >= 0x80:
		return event.Reason
	}
	return nil
}

// Publish sends a message, not to be kept by the broker for later subscribers (retained),
// and to be thrown away by it where it cannot be handed over within a time. It does not wait
// for the answer, which has the number that is returned.
func (c *Conn) Publish(topic string, payload []byte, within time.Duration) (number uint16, err error) {
	const atLeastOnce, expiry = 0x02, 0x02
	number = c.next()
	body := binary.BigEndian.AppendUint16(text(nil, topic), number)
	body = append(body, 5, expiry)
	body = binary.BigEndian.AppendUint32(body, uint32(max(1, math.Ceil(within.Seconds()))))
	return number, c.send(publish|atLeastOnce, append(body, payload...))
}

// Event is a message, or the answer to what was sent.
type Event struct {
	Message *Message
	Answers uint16
	Reason  ReasonError
}

// Receive waits for the next event.
func (c *Conn) Receive() (e Event, err error) {
	p, err := readPacket(c.in)
	if err != nil {
		return e, fmt.Errorf("the broker does not answer: %w", err)
	}
	switch p.kind() {
	case publish:
		m, err := parseMessage(p)
		return Event{Message: &m}, err
	case puback, suback:
		e.Answers, e.Reason, err = parseAnswer(p)
		return e, err
	case disconnect:
		f := fields{rest: p.body}
		return e, fmt.Errorf("the broker hangs up: %w", ReasonError(f.byte()))
	}
	return e, errPacket
}

func (c *Conn) next() uint16 { c.last++; return c.last }

func (c *Conn) send(first byte, body []byte) error {
	_, err := c.conn.Write(append(length([]byte{first}, len(body)), body...))
	return err
}

// Close takes leave of the broker.
func (c *Conn) Close() error {
	c.stop()
	_ = c.send(disconnect, nil) // it does not matter whether that is heard
	return c.conn.Close()
}

// Abort ends the connection. What has been sent and has not reached the broker never does:
// the system would go on trying for minutes, and a gate would open when the network is back.
func (c *Conn) Abort() {
	if c.stop() {
		c.abort()
	}
}

func (c *Conn) abort() {
	below := c.conn
	if wrapped, is := below.(*tls.Conn); is {
		below = wrapped.NetConn()
	}
	if tcp, is := below.(*net.TCPConn); is {
		_ = tcp.SetLinger(0) // it fails only if it is closed
	}
	_ = below.Close()
}

// text and length write a string and a packet's length.
func text(to []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(s))), s...)
}

func length(to []byte, n int) []byte {
	for ; n > 0x7F; n >>= 7 {
		to = append(to, byte(n)|0x80)
	}
	return append(to, byte(n))
}
