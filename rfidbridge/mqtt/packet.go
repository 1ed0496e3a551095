package mqtt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The types of packets, in the upper half of their first byte.
const (
	connect    = 0x10
	connack    = 0x20
	publish    = 0x30
	puback     = 0x40
	subscribe  = 0x80
	suback     = 0x90
	disconnect = 0xE0
)

// mostPacket is how long a packet may be that a broker sends: it is told so.
const mostPacket = 4096

var (
	errPacket = errors.New("the broker sends what is no packet of MQTT 5")
	errLong   = fmt.Errorf("%w: it is longer than %d bytes", errPacket, mostPacket)
)

// packet is one as it comes: its first byte, and what is behind its length.
type packet struct {
	first byte
	body  []byte
}

func (p packet) kind() byte { return p.first & 0xF0 }

func readPacket(r *bufio.Reader) (packet, error) {
	first, err := r.ReadByte()
	if err != nil {
		return packet{}, err
	}
	length, err := readLength(r)
	if err != nil {
		return packet{}, err
	}
	body := make([]byte, length)
	_, err = io.ReadFull(r, body)
	return packet{first, body}, err
}

// readLength reads a length: seven bits a byte, the lowest first.
func readLength(r io.ByteReader) (n int, err error) {
	for shift := 0; shift < 4*7; shift += 7 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if n |= int(b&0x7F) << shift; n > mostPacket {
			return 0, errLong
		}
		if b&0x80 == 0 {
			return n, nil
		}
	}
	return 0, errPacket
}

// fields takes a packet's body apart from its beginning. What is not there is zero, and err.
type fields struct {
	rest []byte
	err  error
}

func (f *fields) take(n int) []byte {
	if f.err != nil || n > len(f.rest) {
		f.err = errPacket
		return nil
	}
	taken := f.rest[:n]
	f.rest = f.rest[n:]
	return taken
}

// ReadByte implements [io.ByteReader].
func (f *fields) ReadByte() (byte, error) {
	if b := f.take(1); b != nil {
		return b[0], nil
	}
	return 0, f.err
}

func (f *fields) byte() byte {
	b, _ := f.ReadByte() // the error is kept
	return b
}

func (f *fields) number() uint16 {
	if b := f.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (f *fields) text() string { return string(f.take(int(f.number()))) }

// properties passes over them: nothing that a broker may want here matters to one message.
func (f *fields) properties() {
	n, err := readLength(f)
	if f.err == nil {
		f.err = err
	}
	f.take(n)
}

// Message is one that the broker has handed over.
type Message struct {
	Topic   string
	Payload []byte
}

// parseMessage reads a PUBLISH.
func parseMessage(p packet) (m Message, err error) {
	f := fields{rest: p.body}
	m.Topic = f.text()
	if qos := p.first >> 1 & 3; qos > 0 {
		f.number()
	}
	f.properties()
	m.Payload = f.rest
	return m, f.err
}

// parseAnswer reads the reason of a PUBACK and a SUBACK, which name the packet they answer.
func parseAnswer(p packet) (number uint16, reason ReasonError, err error) {
	f := fields{rest: p.body}
	number = f.number()
	if p.kind() == puback && len(f.rest) == 0 {
		return number, 0, f.err // success may be left out
	}
	if p.kind() == suback {
		f.properties()
	}
	return number, ReasonError(f.byte()), f.err
}
