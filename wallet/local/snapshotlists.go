package local

import (
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func (e *encoder) holds(s *state) {
	e.uvarint(uint64(len(s.holds.byID)))
	for id, i := range s.holds.byID {
		h := s.holds.list.at(i)
		e.bytes(id[:])
		e.uvarint(uint64(h.wallet))
		e.flag(h.resolved)
		e.uvarint(uint64(h.amount))
		e.varint(h.until)
	}
}

func (d *decoder) holds(s *state) {
	for range d.items(everything, len(wallet.OpID{})+4, nil) {
		var h hold
		d.copy(h.id[:])
		h.wallet = d.index(int(s.purses.list.length))
		h.resolved = d.flag()
		h.amount = d.amount()
		h.until = d.varint()
		if d.failed || s.holds.find(h.id) != nil {
			d.failed = true
			return
		}
		s.holds.add(h)
	}
}

func (e *encoder) vouchers(s *state) {
	e.uvarint(uint64(len(s.vouchers.notes)))
	for _, note := range s.vouchers.notes {
		e.text(note)
	}
	e.uvarint(uint64(s.vouchers.list.length))
	for i := range s.vouchers.list.length {
		v := s.vouchers.list.at(i)
		e.bytes(v.code[:])
		e.uvarint(uint64(v.value))
		e.byte(byte(v.state))
		e.varint(v.issued)
		e.varint(v.expires)
		e.varint(v.redeemed)
		e.uvarint(uint64(v.wallet))
		e.uvarint(uint64(v.note))
	}
}

func (d *decoder) vouchers(s *state) {
	for range d.items(everything, 1, nil) {
		s.vouchers.addNote(d.text(wallet.MaxNote))
	}
	for range d.items(noWallet, len(wallet.Digest{})+7, nil) {
		var v voucher
		d.copy(v.code[:])
		v.value = d.amount()
		v.state = wallet.VoucherState(d.byte())
		v.issued, v.expires, v.redeemed = d.varint(), d.varint(), d.varint()
		v.wallet = uint32(d.upTo(noWallet))
		v.note = d.index(len(s.vouchers.notes))
		if v.state == wallet.VoucherRedeemed && v.wallet >= s.purses.list.length {
			d.failed = true
		}
		if d.failed {
			return
		}
		s.vouchers.byCode[v.code] = s.vouchers.list.add(v)
	}
}

func (e *encoder) ids(b *idBuckets) {
	e.varint(b.dropped)
	count := 0
	for i := range b.buckets {
		count += b.buckets[i].ids.length
	}
	e.uvarint(uint64(count))
	for i := range b.buckets {
		b.buckets[i].ids.each(func(r *rememberedID) {
			e.bytes(r.id[:])
			e.uvarint(r.at)
		})
	}
}

func (d *decoder) ids(b *idBuckets) {
	b.dropped = d.varint()
	for range d.items(everything, len(wallet.OpID{})+1, nil) {
		var id wallet.OpID
		d.copy(id[:])
		at := d.uvarint()
		if d.failed {
			return
		}
		b.remember(id, at)
	}
}
