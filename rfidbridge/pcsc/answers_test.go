package pcsc

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"
)

// babble is a daemon that says whatever it says, and hears nothing.
type babble struct {
	net.Conn
	said *bytes.Reader
}

func (b babble) Read(p []byte) (int, error)    { return b.said.Read(p) }
func (babble) Write(p []byte) (int, error)     { return len(p), nil }
func (babble) Close() error                    { return nil }
func (babble) SetDeadline(time.Time) error     { return nil }
func (babble) LocalAddr() net.Addr             { return nil }
func (babble) RemoteAddr() net.Addr            { return nil }
func (babble) SetReadDeadline(time.Time) error { return nil }

// Whatever a daemon answers: it is an answer or an error, and after one that is none of the
// daemon's own the connection is of no more use.
func FuzzAnswers(f *testing.F) {
	good := append(words(0, 0, 0), make([]byte, nameSize)...)
	for _, said := range [][]byte{nil, good, bytes.Repeat([]byte{0xFF}, 400), words(0, 0, 0, 0, 0, 0, 2, 0), make([]byte, 4+nameSize+20), words(1)} {
		for _, minor := range []uint32{4, 6} {
			f.Add(said, minor)
		}
	}
	f.Fuzz(func(t *testing.T, said []byte, minor uint32) {
		dial := func() *Client {
			return &Client{minor: minor, conn: &conn{socket: babble{said: bytes.NewReader(said)}}}
		}
		uses := map[string]func(*Client) error{
			"readers": func(c *Client) error {
				readers, err := c.Readers()
				if len(readers) > mostReaders {
					t.Errorf("%d readers", len(readers))
				}
				return err
			},
			"connect": func(c *Client) error {
				card, err := c.Connect("a reader")
				if (card == nil) != (err != nil) {
					t.Errorf("a card %v, and %v", card, err)
				}
				return err
			},
			"transmit": func(c *Client) error {
				answer, err := (&Card{client: c}).Transmit([]byte{0, 0xA4, 4, 0})
				if err == nil && (len(answer) < 2 || len(answer) > mostAnswer) {
					t.Errorf("an answer of %d bytes", len(answer))
				}
				return err
			},
			"control": func(c *Client) error {
				_, err := (&Card{client: c}).Control(1, nil)
				return err
			},
			"close": func(c *Client) error { return (&Card{client: c}).Close() },
			"wait":  func(c *Client) error { return c.next(c.conn, func([]Reader) {}) },
		}
		for name, use := range uses {
			c := dial()
			err := use(c)
			var status StatusError
			if err == nil || errors.As(err, &status) || errors.Is(err, ErrTorn) || name == "wait" {
				continue
			}
			if _, again := c.Readers(); again == nil {
				t.Errorf("%s: after %v it goes on", name, err)
			}
		}
	})
}
