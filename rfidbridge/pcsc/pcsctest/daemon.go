// Package pcsctest is a pcscd for tests, which speaks each of its protocols and has readers
// and cards that do what a test says: come and go, answer, answer nothing, or be swapped
// under a handle. It knows no more of the protocol than package pcsc needs.
package pcsctest

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// Card answers commands. It is called by one goroutine at a time for each reader.
type Card interface {
	ATR() []byte
	Transmit(command []byte) []byte
}

// Daemon is a pcscd of one protocol. Its methods are safe for concurrent use.
type Daemon struct {
	t      testing.TB
	minor  uint32
	socket string

	mu       sync.Mutex
	listener net.Listener
	clients  map[net.Conn]*client
	readers  []*reader
	handles  map[uint32]*reader
	next     uint32
	status   uint32 // with which the next command to a card fails
	refuses  bool
	versions int // asked for
}

type reader struct {
	name   string
	events uint32
	card   Card
	taken  uint32 // the handle of who has it alone
}

// client is a connection, whether it waits for a change, and the cards that it has had.
type client struct {
	waits   bool
	handles []uint32
	write   sync.Mutex
}

// Start runs a daemon of protocol 4:minor until the test ends.
func Start(t testing.TB, minor uint32) *Daemon {
	t.Helper()
	d := &Daemon{
		t: t, minor: minor, socket: filepath.Join(t.TempDir(), "s"),
		clients: make(map[net.Conn]*client), handles: make(map[uint32]*reader),
	}
	d.Restart()
	t.Cleanup(d.Stop)
	return d
}

// Socket is where it listens.
func (d *Daemon) Socket() string { return d.socket }

// Stop ends it, with all connections. Restart lets it listen again, with the readers and
// cards that it had.
func (d *Daemon) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.listener.Close()
	for c := range d.clients {
		_ = c.Close()
	}
	clear(d.clients)
	clear(d.handles)
	for _, r := range d.readers {
		r.taken = 0
	}
}

// Restart lets a daemon listen.
func (d *Daemon) Restart() {
	d.t.Helper()
	listener, err := net.Listen("unix", d.socket)
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listener = listener
	go d.accept(listener)
}

// Refuse closes each new connection before a word, as polkit has a daemon do.
func (d *Daemon) Refuse() { d.locked(func() { d.refuses = true }) }

// Fail has the next command to a card fail with a status.
func (d *Daemon) Fail(status uint32) { d.locked(func() { d.status = status }) }

// Versions is how often the version was asked for.
func (d *Daemon) Versions() (n int) {
	d.locked(func() { n = d.versions })
	return n
}

// Plug plugs a reader in, and Unplug out.
func (d *Daemon) Plug(name string) {
	d.change(func() { d.readers = append(d.readers, &reader{name: name}) })
}

// Unplug takes a reader away.
func (d *Daemon) Unplug(name string) {
	d.change(func() {
		for i, r := range d.readers {
			if r.name == name {
				d.readers = append(d.readers[:i:i], d.readers[i+1:]...)
				return
			}
		}
	})
}

// Insert puts a card into a reader; nil takes it away.
func (d *Daemon) Insert(name string, card Card) {
	d.change(func() {
		r := d.find(name)
		r.card = card
		r.events++
	})
}

// Swap puts another card in the place of one, faster than the daemon looks: nobody is told.
func (d *Daemon) Swap(name string, card Card) { d.locked(func() { d.find(name).card = card }) }

func (d *Daemon) locked(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
}

// find returns a reader, with d.mu held.
func (d *Daemon) find(name string) *reader {
	for _, r := range d.readers {
		if r.name == name {
			return r
		}
	}
	return nil
}

// change does something and signals whoever waits.
func (d *Daemon) change(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do()
	for conn, c := range d.clients {
		if c.waits {
			c.waits = false
			c.send(conn, words(0, 0))
		}
	}
}

func (c *client) send(conn net.Conn, b []byte) {
	c.write.Lock()
	defer c.write.Unlock()
	_, _ = conn.Write(b) // who has left does not hear it
}

func (d *Daemon) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		if d.refuses {
			_ = conn.Close()
			d.mu.Unlock()
			continue
		}
		c := new(client)
		d.clients[conn] = c
		d.mu.Unlock()
		go d.serve(conn, c)
	}
}

func (d *Daemon) serve(conn net.Conn, c *client) {
	defer func() {
		d.locked(func() {
			delete(d.clients, conn)
			for _, handle := range c.handles {
				d.disconnect(handle)
			}
		})
		_ = conn.Close()
	}()
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		size, command := order.Uint32(head), order.Uint32(head[4:])
		if size > 4096 {
			d.t.Errorf("command %#x has a body of %d bytes", command, size)
			return
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		if err := d.answer(conn, c, command, body); err != nil {
			if !errors.Is(err, io.EOF) {
				d.t.Errorf("command %#x: %v", command, err)
			}
			return
		}
	}
}

var order = binary.NativeEndian

func words(fields ...uint32) (b []byte) {
	for _, f := range fields {
		b = order.AppendUint32(b, f)
	}
	return b
}
