package local

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A record in the journal is, after its length in two bytes,
//
//	kind     uint8
//	flags    uint8
//	id       [16]byte
//	content  uint64, little endian
//	time     varint    since the time in the id
//	fields   uvarint   which of the fields below follow, a bit for each
//
// and those fields that are not zero, in the order of the constants: numbers as
// uvarint, text and lists behind their length or count as uvarint. An end is
// counted from the record's time. A wallet is given by its place among the
// wallets, of a transfer to another one by its id as well; a rule by its text
// where it is new, and by its number from then on. A charge has none
// but the first seven fields, whose bits fit into one byte.
const (
	fieldWalletAt uint64 = 1 << iota
	fieldPrev
	fieldAmount
	fieldBalance
	fieldUntil
	fieldRuleAt
	fieldResource
	fieldVisits
	fieldBought
	fieldHeld
	fieldEnds
	fieldWallet
	fieldRule
	fieldNote
	fieldAccount
	fieldOther
	fieldOtherPrev
	fieldOtherBalance
	fieldRecovery
	fieldGeneration
	fieldSerial
	fieldDigests
	fieldRegister
	fieldValue
	fieldsEnd
)

func (r *record) fields() uint64 {
	var f uint64
	mark := func(set bool, field uint64) {
		if set {
			f |= field
		}
	}
	mark(r.walletAt != 0 && r.kind != wallet.KindCreate, fieldWalletAt)
	mark(r.prev != 0, fieldPrev)
	mark(r.amount != 0, fieldAmount)
	mark(r.balance != 0, fieldBalance)
	mark(r.until != 0, fieldUntil)
	mark(r.ruleKnown, fieldRuleAt)
	mark(r.resource != "", fieldResource)
	mark(r.visits != 0, fieldVisits)
	mark(r.bought != 0, fieldBought)
	mark(r.held != 0, fieldHeld)
	mark(r.ends != wallet.OpID{}, fieldEnds)
	mark(r.kind == wallet.KindCreate || r.has(flagBetween), fieldWallet)
	mark(r.rule != "" && !r.ruleKnown, fieldRule)
	mark(r.note != "", fieldNote)
	mark(r.account != "", fieldAccount)
	mark(r.other != wallet.WalletID{}, fieldOther)
	mark(r.otherPrev != 0, fieldOtherPrev)
	mark(r.otherBalance != 0, fieldOtherBalance)
	mark(r.recovery != wallet.Digest{}, fieldRecovery)
	mark(r.generation != 0, fieldGeneration)
	mark(r.serial != 0, fieldSerial)
	mark(len(r.digests) != 0, fieldDigests)
	mark(r.register != "", fieldRegister)
	mark(r.value != "", fieldValue)
	return f
}

// append encodes the record, with its length in front. Check of the operations
// keeps it below maxRecord bytes.
func (r *record) append(b []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, byte(r.kind), byte(r.flags))
	b = append(b, r.id[:]...)
	b = binary.LittleEndian.AppendUint64(b, r.content)
	b = binary.AppendVarint(b, r.time-idTime(r.id))
	fields := r.fields()
	b = binary.AppendUvarint(b, fields)
	for field := uint64(1); field <= fields; field <<= 1 {
		if fields&field != 0 {
			b = r.appendField(b, field)
		}
	}
	binary.LittleEndian.PutUint16(b[start:], uint16(len(b)-start-recordSize))
	return b
}

func (r *record) appendField(b []byte, field uint64) []byte {
	switch field {
	case fieldWallet:
		return append(b, r.wallet[:]...)
	case fieldRule:
		return appendText(b, r.rule)
	case fieldResource:
		return appendText(b, r.resource)
	case fieldEnds:
		return append(b, r.ends[:]...)
	case fieldNote:
		return appendText(b, r.note)
	case fieldAccount:
		return appendText(b, r.account)
	case fieldOther:
		return append(b, r.other[:]...)
	case fieldRecovery:
		return append(b, r.recovery[:]...)
	case fieldRegister:
		return appendText(b, r.register)
	case fieldValue:
		return appendText(b, r.value)
	case fieldDigests:
		b = binary.AppendUvarint(b, uint64(len(r.digests)))
		for i := range r.digests {
			b = append(b, r.digests[i][:]...)
		}
		return b
	}
	return binary.AppendUvarint(b, r.number(field))
}

// number is the value of a field that is a number.
func (r *record) number(field uint64) uint64 {
	switch field {
	case fieldWalletAt:
		return uint64(r.walletAt)
	case fieldRuleAt:
		return uint64(r.ruleAt)
	case fieldPrev:
		return r.prev
	case fieldAmount:
		return uint64(r.amount)
	case fieldBalance:
		return uint64(r.balance)
	case fieldUntil:
		return uint64(r.until - r.time)
	case fieldVisits:
		return r.visits
	case fieldBought:
		return r.bought
	case fieldHeld:
		return uint64(r.held)
	case fieldOtherPrev:
		return r.otherPrev
	case fieldOtherBalance:
		return uint64(r.otherBalance)
	case fieldGeneration:
		return uint64(r.generation)
	}
	return r.serial
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errRecord = errors.New("not a record")

// decode reads a record without its length. It keeps nothing of b.
func (r *record) decode(b []byte) error {
	*r = record{}
	d := decoder{rest: b}
	r.kind = wallet.Kind(d.byte())
	r.flags = flags(d.byte())
	d.copy(r.id[:])
	r.content = d.uint64()
	r.time = idTime(r.id) + d.varint()
	fields := d.uvarint()
	if d.failed || r.kind < wallet.KindCreate || r.kind > wallet.KindPut || r.flags&^flagsKnown != 0 || fields >= fieldsEnd {
		return errRecord
	}
	for field := uint64(1); field <= fields; field <<= 1 {
		if fields&field != 0 {
			r.decodeField(&d, field)
		}
	}
	if d.failed || len(d.rest) != 0 {
		return fmt.Errorf("%w: its fields do not fill it", errRecord)
	}
	return nil
}

func (r *record) decodeField(d *decoder, field uint64) {
	switch field {
	case fieldWalletAt:
		r.walletAt = uint32(d.upTo(noWallet - 1))
	case fieldRuleAt:
		r.ruleAt, r.ruleKnown = uint32(d.upTo(1<<32-1)), true
	case fieldWallet:
		d.copy(r.wallet[:])
	case fieldPrev:
		r.prev = d.uvarint()
	case fieldAmount:
		r.amount = d.amount()
	case fieldBalance:
		r.balance = d.amount()
	case fieldUntil:
		r.until = r.time + int64(d.uvarint())
	case fieldRule:
		r.rule = d.text(wallet.MaxRule)
	case fieldResource:
		r.resource = d.text(wallet.MaxResource)
	case fieldVisits:
		r.visits = d.upTo(wallet.MaxVisits)
	case fieldBought:
		r.bought = d.upTo(wallet.MaxVisits)
	case fieldHeld:
		r.held = d.amount()
	case fieldEnds:
		d.copy(r.ends[:])
	case fieldNote:
		r.note = d.text(wallet.MaxNote)
	case fieldAccount:
		r.account = d.text(wallet.MaxAccount)
	case fieldOther:
		d.copy(r.other[:])
	case fieldOtherPrev:
		r.otherPrev = d.uvarint()
	case fieldOtherBalance:
		r.otherBalance = d.amount()
	case fieldRecovery:
		d.copy(r.recovery[:])
	case fieldGeneration:
		r.generation = uint32(d.upTo(1<<32 - 1))
	case fieldSerial:
		r.serial = d.uvarint()
	case fieldDigests:
		r.digests = make([]wallet.Digest, d.count(wallet.MaxVouchers, len(wallet.Digest{})))
		for i := range r.digests {
			d.copy(r.digests[i][:])
		}
	case fieldRegister:
		r.register = d.text(wallet.MaxRegister)
	case fieldValue:
		r.value = d.text(wallet.MaxValue)
	}
}
