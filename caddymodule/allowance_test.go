package caddymodule

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// threeAMinute is an allowance of three in a minute, and the time at which it
// was made.
func threeAMinute() (*allowance, time.Time) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	return newAllowance(3, time.Minute, allowanceSlots, now), now
}

func TestAnAllowanceComesBackByAndBy(t *testing.T) {
	a, now := threeAMinute()
	who := partyAt("192.0.2.1")
	for i := range 3 {
		if retry, ok := a.take(who, now); !ok {
			t.Fatalf("time %d is refused for %v", i+1, retry)
		}
	}
	for _, c := range []struct {
		after, retry time.Duration
	}{{0, 20 * time.Second}, {5 * time.Second, 15 * time.Second}, {20*time.Second - 1, 1}, {20 * time.Second, 0}} {
		if retry, spent := a.spent(who, now.Add(c.after)); retry != c.retry || spent != (c.retry > 0) {
			t.Errorf("after %v: spent %t, for %v, want %v", c.after, spent, retry, c.retry)
		}
	}
	if retry, ok := a.take(partyAt("192.0.2.2"), now); !ok {
		t.Errorf("a neighbour is refused for %v", retry)
	}
	later := now.Add(time.Hour) // no more than three are saved up
	for i := range 3 {
		if _, ok := a.take(who, later); !ok {
			t.Errorf("after an hour, time %d is refused", i+1)
		}
	}
	if _, ok := a.take(who, later); ok {
		t.Error("after an hour a fourth is allowed at once")
	}
}

// Whoever sets the clock back by a day must not lock everybody out until it is
// the same time again.
func TestAClockThatIsSetLocksNobodyOut(t *testing.T) {
	a := newAllowance(3, time.Minute, allowanceSlots, time.Now())
	who := partyAt("192.0.2.1")
	for range 3 {
		a.add(who, time.Now())
	}
	set := time.Now().Round(0).Add(-24 * time.Hour) // without the monotonic reading, as if there were none
	if retry, spent := a.spent(who, set); !spent || retry > 25*time.Hour {
		t.Errorf("by the wall clock alone: spent %t, for %v", spent, retry)
	}
	if retry, spent := a.spent(who, time.Now()); !spent || retry > 20*time.Second {
		t.Errorf("by a clock that has a monotonic reading: spent %t, for %v", spent, retry)
	}
}

// A flood of addresses must not push out the one that is limited, and must not
// shut everybody else out either.
func TestAFloodOfPartiesNeitherFreesNorLocksOut(t *testing.T) {
	a, now := threeAMinute()
	limited := partyAt("192.0.2.1")
	for range 3 {
		a.add(limited, now)
	}
	for i := range 2 * allowanceSlots { // one each, of which the whole table is full
		a.add(partyAt(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)), now)
	}
	if _, spent := a.spent(limited, now); !spent {
		t.Error("the flood has freed a party that was limited")
	}
	refused := 0
	const newcomers = 2000
	for i := range newcomers {
		if _, spent := a.spent(partyAt(fmt.Sprintf("198.51.%d.%d", i>>8, i&255)), now); spent {
			refused++
		}
	}
	if want := newcomers / 2; refused > want { // a place that three have hit: 1 - 5/e² = 0.32 of them
		t.Errorf("%d of %d newcomers are refused, want at most %d", refused, newcomers, want)
	}
	if len(a.slots) != allowanceSlots {
		t.Errorf("%d places, want %d", len(a.slots), allowanceSlots)
	}
}

// The attack: an address in each of the 65 536 networks of one subscriber, to
// have the allowance of each, or to spend that of everybody's place.
func TestAttackFromEveryNetworkOfOnePrefix(t *testing.T) {
	a, now := threeAMinute()
	done := 0
	for i := range 1 << 16 {
		if _, ok := a.take(partyAt(fmt.Sprintf("2001:db8:1:%x::1", i)), now); ok {
			done++
		}
	}
	if want := 3 * widerShare; done > want {
		t.Errorf("a /48 has done %d things, want at most %d", done, want)
	}
	refused := 0
	for i := range 1000 {
		if _, spent := a.spent(partyAt(fmt.Sprintf("192.0.2.%d", i%256)), now); spent {
			refused++
		}
	}
	if refused > 10 {
		t.Errorf("%d of 1000 others are refused", refused)
	}
	for i := range 1 << 16 {
		if _, ok := a.take(partyAt(fmt.Sprintf("2001:db8:%x::1", i)), now); ok {
			done++
		}
	}
	if want := 3 * widerShare * widerShare; done > want {
		t.Errorf("a /32 has done %d things, want at most %d", done, want)
	}
}

func TestAPartyIsWhatOneSubscriberHas(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.7", "::ffff:192.0.2.7", true},
		{"192.0.2.7", "192.0.2.8", false},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%eth0", "fe80::2", true},
		{"", "@", true},
		{"", "::", false},
		{"0.0.0.0", "::", false},
	} {
		a, now := threeAMinute()
		for range 3 {
			a.add(partyAt(c.a), now)
		}
		if _, spent := a.spent(partyAt(c.b), now); spent != c.same {
			t.Errorf("%q and %q count as one: %t, want %t", c.a, c.b, spent, c.same)
		}
	}
}

func TestNobodyInParticularIsUnlimited(t *testing.T) {
	a, now := threeAMinute()
	var off *allowance
	for i := range 10 {
		if _, ok := a.take(party{}, now); !ok {
			t.Fatalf("time %d of nobody is refused", i+1)
		}
		if _, ok := off.take(partyAt("192.0.2.1"), now); !ok {
			t.Fatalf("time %d without a limit is refused", i+1)
		}
	}
}

// Run with -race. Those who act at once may pass on the last time together,
// and no others may.
func TestAnAllowanceIsTakenConcurrently(t *testing.T) {
	now := time.Now()
	a := newAllowance(1000, time.Hour, allowanceSlots, now)
	const workers = 8
	var done atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range 1000 {
				if _, ok := a.take(partyAt("2001:db8::1"), now); ok {
					done.Add(1)
				}
			}
		})
	}
	group.Wait()
	if n := done.Load(); n < 1000 || n >= 1000+workers {
		t.Errorf("%d things were allowed, want 1000 and fewer than %d more", n, workers)
	}
}

func TestAnAllowanceAllocatesNothing(t *testing.T) {
	a := newAllowance(1_000_000, time.Hour, allowanceSlots, time.Now())
	now := time.Now()
	for _, address := range []string{"192.0.2.7", "2001:db8:1:2:3:4:5:6"} {
		if n := testing.AllocsPerRun(100, func() { a.take(partyAt(address), now) }); n != 0 {
			t.Errorf("%q: %v allocations", address, n)
		}
	}
}

func BenchmarkAllowance(b *testing.B) {
	for _, address := range []string{"192.0.2.7", "2001:db8:1:2:3:4:5:6"} {
		b.Run(address, func(b *testing.B) {
			now := time.Now()
			a := newAllowance(1_000_000_000, time.Minute, allowanceSlots, now)
			b.ReportAllocs()
			for b.Loop() {
				a.take(partyAt(address), now)
			}
		})
	}
}
