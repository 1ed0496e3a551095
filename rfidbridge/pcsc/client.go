package pcsc

import (
	"cmp"
	"context"
	"os"
	"sync"
	"time"
)

// Options say where pcscd is. All have defaults.
type Options struct {
	Socket  string        // default: that of the environment's PCSCLITE_CSOCK_NAME, as for all of pcscd's clients, or DefaultSocket
	Timeout time.Duration // of one answer, also of a card's; default: 10 s
}

// Client is a connection to pcscd. It is safe for concurrent use, and carries one command
// at a time: two readers that are to be talked to at once have a client each.
type Client struct {
	options Options
	minor   uint32

	mu      sync.Mutex
	conn    *conn
	context uint32
	broken  error // why nothing works any more
}

// What a context and a connection are asked for.
const (
	scopeSystem    = 2
	shareExclusive = 1
	protocolAny    = 0x01 | 0x02 // T=0, T=1
)

// Open connects to pcscd and agrees on the protocol.
func Open(ctx context.Context, o Options) (*Client, error) {
	o.Socket, o.Timeout = cmp.Or(o.Socket, os.Getenv("PCSCLITE_CSOCK_NAME"), DefaultSocket), cmp.Or(o.Timeout, 10*time.Second)
	c := &Client{options: o}
	var err error
	if c.conn, c.minor, err = dial(ctx, o.Socket, o.Timeout, newestMinor); err != nil {
		return nil, err
	}
	answer, err := c.conn.ask(establishContext, words(scopeSystem, 0, 0))
	if err == nil {
		c.context, err = word(answer, 1), statusOf(word(answer, 2))
	}
	if err != nil {
		c.conn.close()
		return nil, err
	}
	return c, nil
}

// Close gives up everything. It ends a command that is under way, and may be called more
// than once.
func (c *Client) Close() { c.conn.close() }

// Minor is the minor of the protocol that the daemon speaks.
func (c *Client) Minor() uint32 { return c.minor }

// Readers are those that there are now.
func (c *Client) Readers() (readers []Reader, err error) {
	err = c.do(func(conn *conn) error {
		readers, err = conn.readers(c.minor)
		return err
	})
	return readers, err
}

// do lets one command at a time use the connection. After an error that is not the
// daemon's own answer, nobody knows what it would answer next.
func (c *Client) do(use func(conn *conn) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	err := use(c.conn)
	if _, answered := err.(StatusError); err != nil && !answered { //nolint:errorlint // statuses are not wrapped here
		c.broken = err
		c.conn.close()
	}
	return err
}

// statusOf is the error of an answer's last field, or nil.
func statusOf(rv uint32) error {
	if rv == 0 {
		return nil
	}
	return StatusError(rv)
}
