package local

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A snapshot file is
//
//	magic    [8]byte   snapshotMagic, which holds the format's version
//	ledger   [16]byte  as in the segments' headers
//	position uint64    in the journal, little endian, as all fixed numbers
//	sequence uint64    of the frame at that position
//	records  uvarint   folded so far
//	lists              as below, each behind its count as uvarint
//	checksum uint32    CRC32C of everything before it
//
// The lists are rules and accounts by name, wallets, passes, grants, holds, the
// notes of vouchers, vouchers, registers, and the remembered ids of charges, of money movement
// and of settled charges. Wallets, rules and notes are referred to by their place in their
// list. A time that cannot be told from none is not there; see millis.
const snapshotMagic = "cpwsnp\x00\x03"

const snapshotHeader = len(snapshotMagic) + len(ledgerID{}) + 8 + 8

// encode writes the snapshot's file.
func (s *snapshot) encode(w io.Writer, id ledgerID) error {
	e := newEncoder(w)
	e.bytes([]byte(snapshotMagic))
	e.bytes(id[:])
	e.uint64(s.position)
	e.uint64(s.sequence)
	e.uvarint(s.state.records)
	e.state(s.state)
	return e.close()
}

var errSnapshot = errors.New("not a whole snapshot of this ledger")

// decodeSnapshot reads a snapshot's file.
func decodeSnapshot(b []byte, id ledgerID, y *yielder) (*snapshot, error) {
	if len(b) < snapshotHeader+4 || string(b[:len(snapshotMagic)]) != snapshotMagic {
		return nil, errSnapshot
	}
	b, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if politeChecksum(b, y) != sum {
		return nil, errSnapshot
	}
	d := decoder{rest: b[len(snapshotMagic):], yielder: y}
	var of ledgerID
	d.copy(of[:])
	s := &snapshot{state: newState()}
	s.position = d.uint64()
	s.sequence = d.uint64()
	s.state.records = d.uvarint()
	d.state(s.state)
	if d.failed || len(d.rest) != 0 || of != id {
		return nil, errSnapshot
	}
	return s, nil
}

// politeChecksum is CRC32C, and lets others have the processor in between.
func politeChecksum(b []byte, y *yielder) (sum uint32) {
	for len(b) > 0 {
		part := b[:min(len(b), 1<<20)]
		sum = crc32.Update(sum, castagnoli, part)
		b = b[len(part):]
		y.yield()
	}
	return sum
}

func (e *encoder) state(s *state) {
	e.uvarint(uint64(len(s.passes.names)))
	for _, name := range s.passes.names {
		e.text(name)
	}
	e.uvarint(uint64(len(s.accounts.names)))
	for i, name := range s.accounts.names {
		e.text(name)
		e.varint(int64(s.accounts.balances[i]))
	}
	e.wallets(s)
	e.passes(s)
	e.grants(s)
	e.holds(s)
	e.vouchers(s)
	e.registers(s)
	e.ids(&s.ids.charges)
	e.ids(&s.ids.money)
	e.ids(&s.ids.settled)
}

func (d *decoder) state(s *state) {
	for range d.items(everything, 1, nil) {
		s.passes.number(d.text(wallet.MaxRule))
	}
	for range d.items(everything, 2, nil) {
		name := d.text(wallet.MaxAccount)
		s.accounts.add(name, wallet.Amount(d.varint()))
	}
	d.wallets(s)
	d.passes(s)
	d.grants(s)
	d.holds(s)
	d.vouchers(s)
	d.registers(s)
	d.ids(&s.ids.charges)
	d.ids(&s.ids.money)
	d.ids(&s.ids.settled)
}

func (e *encoder) wallets(s *state) {
	e.uvarint(uint64(s.purses.list.length))
	for i := range s.purses.list.length {
		w := s.purses.list.at(i)
		e.bytes(w.id[:])
		e.bytes(w.recovery[:])
		e.uvarint(uint64(w.available))
		e.uvarint(uint64(w.held))
		e.uvarint(uint64(w.generation))
		e.flag(w.frozen)
		e.varint(w.created)
		e.uvarint(w.last)
	}
}

func (d *decoder) wallets(s *state) {
	for range d.items(noWallet, len(wallet.WalletID{})+len(wallet.Digest{})+6, s.purses.reserve) {
		var w purse
		d.copy(w.id[:])
		d.copy(w.recovery[:])
		w.available, w.held = d.amount(), d.amount()
		w.generation = uint32(d.upTo(1<<32 - 1))
		w.frozen = d.flag()
		w.created = d.varint()
		w.last = d.uvarint()
		if d.failed {
			return
		}
		s.purses.add(w)
	}
}

func (e *encoder) passes(s *state) {
	e.uvarint(uint64(s.passes.list.length))
	for i := range s.purses.list.length {
		for next := s.purses.list.at(i).pass; next != 0; {
			p := s.passes.list.at(next - 1)
			e.uvarint(uint64(i))
			e.uvarint(uint64(p.rule))
			e.uvarint(uint64(p.visits))
			e.varint(p.until)
			next = p.next
		}
	}
}

func (d *decoder) passes(s *state) {
	for range d.items(noWallet, 4, nil) {
		at := d.index(int(s.purses.list.length))
		rule := d.index(len(s.passes.names))
		visits := uint32(d.upTo(wallet.MaxVisits))
		until := d.varint()
		if d.failed {
			return
		}
		s.passes.set(s.purses.list.at(at), at, rule, visits, until)
	}
}

func (e *encoder) grants(s *state) {
	e.uvarint(uint64(s.grants.table.length))
	s.grants.table.each(func(g *grantItem) {
		e.uvarint(uint64(g.wallet))
		e.bytes(g.resource[:])
		e.varint(g.until)
		e.byte(byte(g.flags))
		e.uvarint(g.paid)
	})
}

func (d *decoder) grants(s *state) {
	for range d.items(everything, len(resourceKey{})+4, s.grants.table.reserve) {
		var key grantKey
		var g grant
		key.wallet = d.index(int(s.purses.list.length))
		d.copy(key.resource[:])
		g.until = d.varint()
		g.flags = grantFlags(d.byte())
		g.paid = d.uvarint()
		if d.failed {
			return
		}
		s.grants.set(key, g)
	}
}

func (e *encoder) flag(set bool) {
	if set {
		e.byte(1)
	} else {
		e.byte(0)
	}
}

func (d *decoder) flag() bool { return d.byte() == 1 }
