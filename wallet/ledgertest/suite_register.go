package ledgertest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// put writes a register, and returns the id that stands for its value.
func (b *trial) put(name string, before wallet.OpID, value string) wallet.OpID {
	b.Helper()
	return expect(b, wallet.Ledger.Put, wallet.Put{Register: name, Before: before, Value: value}, wallet.Receipt{Outcome: wallet.Applied}).ID
}

// registerIs checks one register whole; one without a value is not there.
func (b *trial) registerIs(want wallet.Register) {
	b.Helper()
	got, err := b.l.Register(b.Context(), want.Name)
	if want.Value == "" {
		if errorKind(err) != errorKind(wallet.ErrNotFound) {
			b.Fatalf("register %q is %+v, %v, want none", want.Name, got, err)
		}
		return
	}
	if err != nil || !same(got, want) {
		b.Fatalf("the register is %+v, %v, want %+v", got, err, want)
	}
}

var registers = []scenario{
	{"a register is what was put there last, in place of what was seen (invariant 3)", func(b *trial) {
		first := b.put("card:1", wallet.OpID{}, "one")
		b.registerIs(wallet.Register{Name: "card:1", Value: "one", Put: first, Time: b.now()})
		b.clock.Advance(time.Minute)
		second := b.put("card:1", first, "two")
		b.registerIs(wallet.Register{Name: "card:1", Value: "two", Put: second, Time: b.now()})
		for _, before := range []wallet.OpID{{}, first, b.id()} {
			expect(b, wallet.Ledger.Put, wallet.Put{Register: "card:1", Before: before, Value: "three"}, wallet.Receipt{Outcome: wallet.Conflict})
		}
		b.audited(wallet.Audit{})
	}},
	{"a register that is removed is not there, and can be made anew", func(b *trial) {
		first := b.put("card:1", wallet.OpID{}, "one")
		b.put("card:1", first, "")
		b.registerIs(wallet.Register{Name: "card:1"})
		for _, value := range []string{"", "two"} {
			expect(b, wallet.Ledger.Put, wallet.Put{Register: "card:1", Before: first, Value: value}, wallet.Receipt{Outcome: wallet.NotFound})
		}
		again := b.put("card:1", wallet.OpID{}, "three")
		b.registerIs(wallet.Register{Name: "card:1", Value: "three", Put: again, Time: b.now()})
	}},
	{"a put again is replayed while its value stands, and then a conflict (invariants 3, 6)", func(b *trial) {
		p := withID(wallet.Put{Register: "card:1", Value: "one"}, b.id())
		first := expect(b, wallet.Ledger.Put, p, wallet.Receipt{Outcome: wallet.Applied})
		b.clock.Advance(wallet.ChargeMemory)
		again(b, wallet.Ledger.Put, p, first)
		other := p
		other.Value = "two"
		expect(b, wallet.Ledger.Put, other, wallet.Receipt{Outcome: wallet.Conflict})
		b.put("card:1", p.ID, "three")
		expect(b, wallet.Ledger.Put, p, wallet.Receipt{Outcome: wallet.Conflict})
		b.clock.Advance(time.Millisecond)
		expect(b, wallet.Ledger.Put, p, wallet.Receipt{Outcome: wallet.Stale})
	}},
	{"a put of another time is stale", func(b *trial) {
		for _, at := range []time.Time{b.now().Add(-wallet.ChargeMemory - time.Millisecond), b.now().Add(wallet.MaxClockSkew + time.Millisecond)} {
			p := withID(wallet.Put{Register: "card:1", Value: "one"}, b.idAt(at))
			expect(b, wallet.Ledger.Put, p, wallet.Receipt{Outcome: wallet.Stale})
		}
		for i, at := range []time.Time{b.now().Add(-wallet.ChargeMemory), b.now().Add(wallet.MaxClockSkew)} {
			p := withID(wallet.Put{Register: string('a' + rune(i)), Value: "one"}, b.idAt(at))
			expect(b, wallet.Ledger.Put, p, wallet.Receipt{Outcome: wallet.Applied})
		}
	}},
	{"of many puts in place of one value one takes effect (invariant 3)", func(b *trial) {
		first := b.put("card:1", wallet.OpID{}, "counter 1")
		var applied atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			p := withID(wallet.Put{Register: "card:1", Before: first, Value: "counter 2"}, b.id())
			all.Go(func() {
				switch r, err := b.l.Put(b.Context(), p); {
				case err != nil:
					b.Error(err)
				case r.Outcome == wallet.Applied:
					applied.Add(1)
				case r.Outcome != wallet.Conflict:
					b.Errorf("a put beside others answers %v", r.Outcome)
				}
			})
		}
		all.Wait()
		if n := applied.Load(); n != 1 {
			b.Errorf("invariant 3: %d of them took effect, want 1", n)
		}
	}},
	{"registers are listed by their names, those of a prefix, in pages of any size", func(b *trial) {
		names := []string{"\x00", "card", "card:", "card:1", "card:10", "card:2", "card;", "cars", "kiosk:\xff", "kiosk:\xff\xff", "\xff"}
		var want []wallet.Register
		for i := range names {
			name := names[(i*7)%len(names)] // not in order
			b.put(name, wallet.OpID{}, "of "+name)
		}
		for _, name := range names {
			r, err := b.l.Register(b.Context(), name)
			if err != nil {
				b.Fatal(err)
			}
			want = append(want, r)
		}
		for prefix, some := range map[string][]wallet.Register{
			"": want, "car": want[1:8], "card:": want[2:6], "card:1": want[3:5], "kiosk:\xff": want[8:10], "\xff": want[10:], "none": nil,
		} {
			for _, limit := range []int{1, 2, 3, len(names), wallet.MaxPage} {
				got := pages(b, limit, func(cursor string, limit int) ([]wallet.Register, string, error) {
					return b.l.Registers(b.Context(), prefix, cursor, limit)
				})
				if !same(got, some) {
					b.Fatalf("pages of %d of %q list %+v, want %+v", limit, prefix, got, some)
				}
			}
		}
	}},
	{"a cursor of another prefix lists no registers", func(b *trial) {
		for _, name := range []string{"card:1", "card:2", "kiosk:1", "kiosk:2"} {
			b.put(name, wallet.OpID{}, "1")
		}
		_, cursor, err := b.l.Registers(b.Context(), "card:", "", 1)
		if err != nil || cursor == "" {
			b.Fatalf("the cursor is %q, %v", cursor, err)
		}
		for _, forged := range append(forged, cursor) {
			if _, _, err := b.l.Registers(b.Context(), "kiosk:", forged, 1); errorKind(err) != errorKind(wallet.ErrInvalid) {
				b.Errorf("cursor %.40q: %v, want ErrInvalid", forged, err)
			}
		}
	}},
	{"a register beyond its limits is invalid, one at its limits good", func(b *trial) {
		first := b.put("card:1", wallet.OpID{}, "1")
		invalid(b, wallet.Ledger.Put, wallet.Put{Register: "card:1", Before: first, Value: "2"},
			func(p *wallet.Put) { p.Register = "" },
			func(p *wallet.Put) { p.Register = long(wallet.MaxRegister + 1) },
			func(p *wallet.Put) { p.Value = long(wallet.MaxValue + 1) },
			func(p *wallet.Put) { p.Before, p.Value = wallet.OpID{}, "" })
		valid(b, wallet.Ledger.Put, wallet.Put{Register: long(wallet.MaxRegister), Value: long(wallet.MaxValue)})
		for prefix, limit := range map[string]int{long(wallet.MaxRegister + 1): 1, "a": 0, "b": wallet.MaxPage + 1} {
			if _, _, err := b.l.Registers(b.Context(), prefix, "", limit); errorKind(err) != errorKind(wallet.ErrInvalid) {
				b.Errorf("a listing of %d with a prefix of %d bytes: %v, want ErrInvalid", limit, len(prefix), err)
			}
		}
	}},
}
