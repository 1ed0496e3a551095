package local

import (
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// voucher is a voucher; its serial number is one more than its index.
type voucher struct {
	code     wallet.Digest
	value    wallet.Amount
	state    wallet.VoucherState // VoucherExpired is for the clock to say
	issued   int64
	expires  int64 // zero: never
	redeemed int64
	wallet   uint32 // that redeemed it
	note     uint32 // index of its note
}

// stateAt is what a voucher is good for at now.
func (v *voucher) stateAt(now int64) wallet.VoucherState {
	if v.state == wallet.VoucherIssued && over(v.expires, now) {
		return wallet.VoucherExpired
	}
	return v.state
}

// refusal is the outcome for a voucher that is no longer good, else Applied.
func (v *voucher) refusal(now int64) wallet.Outcome {
	switch v.stateAt(now) {
	case wallet.VoucherRedeemed:
		return wallet.Spent
	case wallet.VoucherVoid, wallet.VoucherExpired:
		return wallet.Void
	}
	return wallet.Applied
}

// vouchers are all that were ever issued: each is a promise of money.
type vouchers struct {
	list   arena[voucher]
	byCode map[wallet.Digest]uint32
	notes  []string // one for each issue, and for each voided with a note
}

func newVouchers() vouchers { return vouchers{byCode: make(map[wallet.Digest]uint32)} }

func (v *vouchers) nextSerial() uint64 { return uint64(v.list.length) + 1 }

// find returns a voucher and its serial number, or nil.
func (v *vouchers) find(code wallet.Digest) *voucher {
	i, found := v.byCode[code]
	if !found {
		return nil
	}
	return v.list.at(i)
}

func (v *vouchers) bySerial(serial uint64) *voucher {
	if serial == 0 || serial >= v.nextSerial() {
		return nil
	}
	return v.list.at(uint32(serial - 1))
}

func (v *vouchers) serial(code wallet.Digest) uint64 { return uint64(v.byCode[code]) + 1 }

func (v *vouchers) issue(r *record) {
	note := v.addNote(r.note)
	for _, code := range r.digests {
		v.byCode[code] = v.list.add(voucher{
			code: code, value: r.amount, state: wallet.VoucherIssued, issued: r.time, expires: r.until, note: note,
		})
	}
}

// void makes a voucher worthless; a note replaces the issue's.
func (v *vouchers) void(item *voucher, r *record) {
	item.state = wallet.VoucherVoid
	if r.note != "" {
		item.note = v.addNote(r.note)
	}
}

func (v *vouchers) addNote(note string) uint32 {
	v.notes = append(v.notes, note)
	return uint32(len(v.notes) - 1)
}
