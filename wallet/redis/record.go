package redis

import (
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// record is one change of a shard's books, as its journal has it; see
// library/30-journal.lua.
type record struct {
	position uint64
	time     int64
	kind     wallet.Kind
	flags    recordFlags
	balance  wallet.Amount // of the wallet that it is about, afterwards
	before   uint64        // position of that wallet's record before; zero: none
	amount   wallet.Amount
	visits   int
	until    int64
	held     wallet.Amount // of the hold that a capture or release ends
	number   uint64        // generation, or first serial number
	rule     string        // of the charge that a settlement ends

	hasOther     bool          // a transfer between two wallets of the shard
	otherBalance wallet.Amount // of the one that receives
	otherBefore  uint64

	asked asked
}

type recordFlags byte

const (
	recordExpired  recordFlags = 1 << iota // a hold whose time had come
	recordVisit                            // a visit was taken, or went back
	recordRestored                         // and was not lost
	recordArrived                          // it came from another shard
	recordWide                             // balance and before take 7 bytes each
)

// kindShare is money of a named account that goes to another shard's part of it, and
// in no wallet's entries.
const kindShare wallet.Kind = 64

// Which fields a record has.
const (
	hasAmount = 1 << iota
	hasVisits
	hasUntil
	hasHold
	hasTime
	hasNumber
	hasRule
	hasOther
)

// places is how many records an entry has room for: a position is the entry's number
// times places, and the record's place in it.
const places = 4096

const entryVersion = 1

// records decodes an entry of the journal, of a number.
func records(sequence uint64, entry string) ([]record, error) {
	d := reader{rest: []byte(entry)}
	if version := d.uint(1); version != entryVersion || d.failed {
		return nil, fmt.Errorf("%w: the journal's entry %d is of version %d", wallet.ErrCorrupt, sequence, version)
	}
	now := int64(d.uint(6))
	var all []record
	for len(d.rest) > 0 && !d.failed {
		r := record{position: sequence*places + uint64(len(all)), time: now}
		if r.decode(&d); !d.failed {
			all = append(all, r)
		}
	}
	if d.failed {
		return nil, fmt.Errorf("%w: the journal's entry %d does not read", wallet.ErrCorrupt, sequence)
	}
	return all, nil
}

// decode takes a record off d.
func (r *record) decode(d *reader) {
	body := reader{rest: d.take(d.uint(2))}
	r.kind, r.flags = wallet.Kind(body.uint(1)), recordFlags(body.uint(1))
	has := body.uint(1)
	if r.flags&recordWide != 0 {
		r.balance, r.before = wallet.Amount(body.uint(7)), body.uint(7)
	} else {
		r.balance, r.before = wallet.Amount(body.uint(4)), body.uint(5)
	}
	if has&hasAmount != 0 {
		r.amount = wallet.Amount(body.uint(7))
	}
	if has&hasVisits != 0 {
		r.visits = int(body.uint(3))
	}
	if has&hasUntil != 0 {
		r.until = int64(body.uint(6))
	}
	if has&hasHold != 0 {
		r.held = wallet.Amount(body.uint(7))
	}
	if has&hasTime != 0 {
		r.time = int64(body.uint(6))
	}
	if has&hasNumber != 0 {
		r.number = body.uint(7)
	}
	if has&hasRule != 0 {
		r.rule = body.short()
	}
	if r.hasOther = has&hasOther != 0; r.hasOther {
		r.otherBalance, r.otherBefore = wallet.Amount(body.uint(7)), body.uint(7)
	}
	r.asked = asked(body.rest)
	if body.failed || len(r.asked) < askedHead && r.kind != kindShare || len(r.asked) == 0 {
		d.failed = true
	}
}

// receipt is the receipt of the operation that the record is of.
func (r *record) receipt(o wallet.Outcome) (wallet.Receipt, error) {
	op, err := r.asked.operation()
	if err != nil {
		return wallet.Receipt{}, fmt.Errorf("%w: %w", wallet.ErrCorrupt, err)
	}
	receipt := wallet.Receipt{
		Outcome: o, ID: r.asked.id(), Time: timeOf(r.time), Amount: r.amount, Balance: r.balance,
		Visits: r.visits, Until: timeOf(r.until), Visit: r.flags&recordVisit != 0,
	}
	switch op := op.(type) {
	case wallet.Charge:
		receipt.Until = timeOf(r.time + op.Window.Milliseconds())
		if receipt.Visit = r.kind == wallet.KindVisit; !receipt.Visit {
			receipt.Amount = op.Price
		}
	case wallet.Purchase:
		receipt.Amount = op.Price
	case wallet.Transfer:
		receipt.Amount = op.Amount
	case wallet.Hold:
		receipt.Amount = op.Amount
	case wallet.Capture:
		receipt.Amount = op.Amount
	case wallet.Release:
		receipt.Amount = r.held
	case wallet.CreateWallet, wallet.Rekey:
		receipt.Generation = uint32(r.number)
	case wallet.IssueVouchers:
		receipt.Serial = r.number
	}
	return receipt, nil
}

// entry is what the record did to a wallet: the one that it is about, or the one that
// received.
func (r *record) entry(of wallet.WalletID) (wallet.Entry, error) {
	op, err := r.asked.operation()
	if err != nil && r.flags&recordExpired == 0 {
		return wallet.Entry{}, fmt.Errorf("%w: %w", wallet.ErrCorrupt, err)
	}
	e := wallet.Entry{ID: r.asked.id(), Time: timeOf(r.time), Kind: r.kind, Amount: r.change(op, of), Balance: r.balance}
	switch op := op.(type) {
	case wallet.Charge:
		e.Rule, e.Resource = op.Rule, op.Resource
		if r.kind == wallet.KindVisit {
			e.Visits = -1
		}
	case wallet.Purchase:
		e.Rule, e.Visits = op.Rule, op.Visits
	case wallet.Settlement:
		e.Rule, e.Resource = r.rule, op.Resource
		if r.flags&recordRestored != 0 {
			e.Visits = 1
		}
	case wallet.Capture:
		e.Rule, e.Resource = op.Rule, op.Resource
	case wallet.Freeze:
		e.Note = op.Note
	case wallet.Transfer:
		e.Note, e.Other = op.Note, op.To
		if op.To == wallet.WalletAccount(of) {
			e.Other = op.From
			if r.hasOther {
				e.Balance = r.otherBalance
			}
		}
	}
	return e, nil
}

// change is what the record did to the available amount of a wallet.
func (r *record) change(op any, of wallet.WalletID) wallet.Amount {
	switch op := op.(type) {
	case wallet.Charge:
		if r.kind == wallet.KindVisit {
			return 0
		}
		return -op.Price
	case wallet.Purchase:
		return -op.Price
	case wallet.Hold:
		return -op.Amount
	case wallet.Settlement, wallet.Redeem:
		return r.amount
	case wallet.Capture:
		return r.held - op.Amount
	case wallet.Transfer:
		if op.To == wallet.WalletAccount(of) {
			return op.Amount
		}
		return -op.Amount
	}
	return r.held // of a release; zero for all others
}

// share is what a record of kindShare says: a part of an account on its way from one
// shard to another, where it has a number.
type share struct {
	from, to uint64
	number   uint64
	amount   wallet.Amount
	account  string
}

func (r *record) share() (share, error) {
	d := reader{rest: r.asked[1:]}
	s := share{amount: wallet.Amount(d.uint(7)), from: d.uint(2), to: d.uint(2), number: d.uint(7), account: d.short()}
	if d.failed || len(d.rest) > 0 {
		return s, fmt.Errorf("%w: the record at %d does not read", wallet.ErrCorrupt, r.position)
	}
	return s, nil
}
