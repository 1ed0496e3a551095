package pcsc

import (
	"bytes"
	"fmt"
)

// Reader is a reader as it is at a moment.
type Reader struct {
	Name   string // such as "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00"
	Events uint32 // counts cards that have come and gone
	ATR    []byte // what the card there has said at first; empty: there is none, or it is not known yet
}

// Present reports whether there is a card that can be talked to.
func (r *Reader) Present() bool { return len(r.ATR) > 0 }

// The daemon's table has entries of one size, in protocols before 4:6 a fixed number.
const (
	readerSize    = 184
	readersBefore = 16
	mostReaders   = 256 // more is no answer

	nameSize  = 128
	eventsAt  = 128
	stateAt   = 132
	atrAt     = 140
	atrSize   = 33
	atrSizeAt = 176
	isPresent = 0x04 // a bit of the state
)

// decodeReaders reads the table. Entries without a name are free.
func decodeReaders(table []byte) (readers []Reader, err error) {
	for ; len(table) >= readerSize; table = table[readerSize:] {
		name, _, ended := bytes.Cut(table[:nameSize], []byte{0})
		if !ended {
			return nil, fmt.Errorf("%w: a reader's name has no end", ErrProtocol)
		}
		if len(name) == 0 {
			continue
		}
		r := Reader{Name: string(name), Events: order.Uint32(table[eventsAt:])}
		n := order.Uint32(table[atrSizeAt:])
		if n > atrSize {
			return nil, fmt.Errorf("%w: a card's first answer has %d bytes", ErrProtocol, n)
		}
		if order.Uint32(table[stateAt:])&isPresent != 0 {
			r.ATR = bytes.Clone(table[atrAt : atrAt+n])
		}
		readers = append(readers, r)
	}
	return readers, nil
}

// readers asks for the table.
func (c *conn) readers(minor uint32) ([]Reader, error) {
	count := uint32(readersBefore)
	command := uint32(getReadersState)
	if minor >= 6 {
		if err := c.send(getStatesSize, nil); err != nil {
			return nil, err
		}
		answer, err := c.receive(4)
		if err != nil {
			return nil, err
		}
		if count = word(answer, 0); count > mostReaders {
			return nil, fmt.Errorf("%w: %d readers", ErrProtocol, count)
		}
		if count == 0 {
			return nil, nil
		}
		command = getStates
	}
	if err := c.send(command, nil); err != nil {
		return nil, err
	}
	table, err := c.receive(int(count) * readerSize)
	if err != nil {
		return nil, err
	}
	return decodeReaders(table)
}
