package pcsctest

import (
	"bytes"
	"fmt"
	"io"
	"net"
)

// Sizes of the bodies that a daemon insists on, by the command.
var sizes = map[uint32]int{
	0x01: 12, 0x02: 8, 0x04: 152, 0x06: 12, 0x07: 8, 0x08: 12, 0x09: 32, 0x0A: 24, 0x11: 12, 0x12: 0, 0x13: 0, 0x16: 0, 0x17: 0,
}

const (
	sharingViolation = 0x8010000B
	noCard           = 0x8010000C
	unknownReader    = 0x80100009
	invalidHandle    = 0x80100003
	serviceStopped   = 0x8010001E
	handshake        = 0x11
)

// answer carries out one command.
func (d *Daemon) answer(conn net.Conn, c *client, command uint32, body []byte) error {
	size, known := sizes[command]
	switch {
	case !known || command >= 0x16 && d.minor < 6 || command == 0x12 && d.minor >= 6:
		return fmt.Errorf("protocol 4:%d does not have it", d.minor)
	case size != len(body):
		return fmt.Errorf("its body has %d bytes and not %d", len(body), size)
	}
	more := []byte(nil)
	if command == 0x09 || command == 0x0A {
		at := 3
		if command == 0x0A {
			at = 2
		}
		more = make([]byte, word(body, at))
		if _, err := io.ReadFull(conn, more); err != nil {
			return err //nolint:wrapcheck // the client has left
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch command {
	case handshake:
		d.versions++
		rv := uint32(0)
		if word(body, 0) != 4 || word(body, 1) != d.minor {
			rv = serviceStopped
		}
		c.send(conn, words(4, d.minor, rv))
	case 0x01:
		c.send(conn, words(word(body, 0), 77, 0))
	case 0x12, 0x17:
		c.send(conn, d.table())
	case 0x16:
		c.send(conn, words(uint32(len(d.readers))))
	case 0x13:
		c.waits = true
		if d.minor < 6 {
			c.send(conn, d.table())
		}
	case 0x04:
		c.send(conn, d.connect(c, body))
	case 0x06:
		c.send(conn, words(word(body, 0), word(body, 1), d.disconnect(word(body, 0))))
	default:
		c.send(conn, d.transmit(command, body, more))
	}
	return nil
}

func word(b []byte, n int) uint32 { return order.Uint32(b[4*n:]) }

// table is all readers, in protocols before 4:6 with free entries up to sixteen.
func (d *Daemon) table() (table []byte) {
	for _, r := range d.readers {
		entry := make([]byte, 184)
		copy(entry, r.name)
		order.PutUint32(entry[128:], r.events)
		order.PutUint32(entry[132:], 0x02)
		if r.card != nil {
			atr := r.card.ATR()
			order.PutUint32(entry[132:], 0x34)
			copy(entry[140:], atr)
			order.PutUint32(entry[176:], uint32(len(atr)))
		}
		table = append(table, entry...)
	}
	if d.minor < 6 {
		table = append(table, make([]byte, 16*184-len(table))...)
	}
	return table
}

func (d *Daemon) connect(c *client, body []byte) []byte {
	answer := bytes.Clone(body)
	name, _, _ := bytes.Cut(body[4:132], []byte{0})
	rv := uint32(0)
	switch r := d.find(string(name)); {
	case r == nil:
		rv = unknownReader
	case r.card == nil:
		rv = noCard
	case r.taken != 0:
		rv = sharingViolation
	default:
		d.next++
		r.taken, c.handles = d.next, append(c.handles, d.next)
		d.handles[d.next] = r
		order.PutUint32(answer[140:], d.next)
		order.PutUint32(answer[144:], 2)
	}
	order.PutUint32(answer[148:], rv)
	return answer
}

func (d *Daemon) disconnect(handle uint32) uint32 {
	r := d.handles[handle]
	if r == nil {
		return invalidHandle
	}
	delete(d.handles, handle)
	r.taken = 0
	return 0
}

// transmit sends a command to a card, or to its reader, which echoes it.
func (d *Daemon) transmit(command uint32, body, more []byte) []byte {
	var answer []byte
	rv := d.status
	d.status = 0
	r := d.handles[word(body, 0)]
	switch {
	case rv != 0:
	case r == nil:
		rv = invalidHandle
	case r.card == nil:
		rv = noCard
	case command == 0x0A:
		answer = more
	default:
		answer = r.card.Transmit(more)
	}
	head := bytes.Clone(body)
	at, end := 6, 7
	if command == 0x0A {
		at, end = 4, 5
	}
	order.PutUint32(head[4*at:], uint32(len(answer)))
	order.PutUint32(head[4*end:], rv)
	if rv != 0 {
		return head
	}
	return append(head, answer...)
}
