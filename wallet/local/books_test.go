package local

import (
	"context"
	"reflect"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// plain is a state without what depends on the order in which it came about,
// and without what may have been forgotten.
type plain struct {
	Registers map[string]register
	Records   uint64
	Purses    []purse
	Recovery  map[wallet.Digest]uint32
	Passes    map[passKey]pass
	Rules     []string
	Grants    map[grantKey]grant
	Holds     map[wallet.OpID]hold
	Accounts  map[string]wallet.Amount
	Vouchers  []voucher
	Notes     []string
	Ids       map[wallet.OpID]uint64
	Settled   map[wallet.OpID]uint64
}

func plainState(s *state, now int64) plain {
	p := plain{
		Records: s.records, Recovery: make(map[wallet.Digest]uint32), Passes: make(map[passKey]pass), Rules: s.passes.names,
		Grants: make(map[grantKey]grant), Holds: make(map[wallet.OpID]hold), Accounts: make(map[string]wallet.Amount),
		Notes: s.vouchers.notes, Ids: make(map[wallet.OpID]uint64), Settled: make(map[wallet.OpID]uint64),
		Registers: make(map[string]register),
	}
	for i := range s.purses.list.length {
		w := *s.purses.list.at(i)
		w.pass = 0
		p.Purses = append(p.Purses, w)
		if opens, found := s.purses.opened(w.recovery); found {
			p.Recovery[w.recovery] = opens
		}
	}
	for key, i := range s.passes.byKey {
		item := *s.passes.list.at(i)
		item.next = 0
		p.Passes[key] = item
	}
	s.grants.table.each(func(g *grantItem) {
		if !over(g.until, now) {
			p.Grants[g.key()] = g.grant()
		}
	})
	for id, i := range s.holds.byID {
		if h := *s.holds.list.at(i); now-h.until <= holdMemory {
			p.Holds[id] = h
		}
	}
	for i, name := range s.accounts.names {
		p.Accounts[name] = s.accounts.balances[i]
	}
	for i := range s.vouchers.list.length {
		p.Vouchers = append(p.Vouchers, *s.vouchers.list.at(i))
	}
	s.register.names.Scan(func(name string, r register) bool {
		p.Registers[name] = r
		return true
	})
	remembered(p.Ids, s.ids.charges, now)
	remembered(p.Ids, s.ids.money, now)
	remembered(p.Settled, s.ids.settled, now)
	return p
}

func remembered(ids map[wallet.OpID]uint64, memory idBuckets, now int64) {
	for _, bucket := range memory.buckets {
		bucket.ids.each(func(r *rememberedID) {
			if now-idTime(r.id) <= memory.memory {
				ids[r.id] = r.at
			}
		})
	}
}

// sameBooks fails unless the live books are the fold of the whole journal, in
// everything and not only the balances (invariant 7).
func sameBooks(t testing.TB, l *Ledger) {
	t.Helper()
	var live plain
	now := l.clock().UnixMilli()
	r, to, done, err := l.audience(context.Background(), func() { live = plainState(l.state, now) })
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	folded := newState()
	if err := r.walk(context.Background(), 0, 0, to, folded.fold); err != nil {
		t.Fatal(err)
	}
	comparePlain(t, live, plainState(folded, now))
}

func comparePlain(t testing.TB, got, want plain) {
	t.Helper()
	for i := range reflect.TypeFor[plain]().NumField() {
		name := reflect.TypeFor[plain]().Field(i).Name
		if got, want := reflect.ValueOf(got).Field(i).Interface(), reflect.ValueOf(want).Field(i).Interface(); !reflect.DeepEqual(got, want) {
			t.Errorf("invariant 7: %s is\n%+v\nand by the journal\n%+v", name, got, want)
		}
	}
}
