package local

import (
	"fmt"

	"github.com/tidwall/btree"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// register is a value that stands.
type register struct {
	value string
	put   wallet.OpID // that wrote it
	time  int64
}

// registers are those that are there, in the order of their names.
type registers struct {
	names btree.Map[string, register]
}

// apply carries out a put. Like a hold's, the record says what it rests on.
func (s *registers) apply(r *record) error {
	there, _ := s.names.Get(r.register)
	if r.register == "" || there.put != r.ends || r.value == "" && there.value == "" {
		return fmt.Errorf("its register does not have the value that it replaces")
	}
	if r.value == "" {
		s.names.Delete(r.register)
	} else {
		s.names.Set(r.register, register{value: r.value, put: r.id, time: r.time})
	}
	return nil
}

func (e *encoder) registers(s *state) {
	e.uvarint(uint64(s.register.names.Len()))
	s.register.names.Scan(func(name string, r register) bool {
		e.text(name)
		e.text(r.value)
		e.bytes(r.put[:])
		e.varint(r.time)
		return true
	})
}

func (d *decoder) registers(s *state) {
	for range d.items(everything, len(wallet.OpID{})+4, nil) {
		var r register
		name := d.text(wallet.MaxRegister)
		r.value = d.text(wallet.MaxValue)
		d.copy(r.put[:])
		r.time = d.varint()
		if _, there := s.register.names.Get(name); there || name == "" || r.value == "" {
			d.failed = true
		}
		if d.failed {
			return
		}
		s.register.names.Set(name, r)
	}
}
