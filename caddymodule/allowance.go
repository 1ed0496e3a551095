package caddymodule

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// allowanceSlots is how many parties one allowance tells apart: 512 KiB of
// memory from the start, and never more.
const allowanceSlots = 1 << 16

// widerShare is how much more the next wider prefix of an address may do than
// the one it holds; see party.
const widerShare = 16

// allowance limits how often parties do a thing: most times at once, and from
// then on as often as that makes in a period. It keeps for each the instant at
// which all of its allowance is back (the theoretical arrival time of GCRA, the
// generic cell rate algorithm of ATM Forum TM 4.0), in a table of fixed size
// at a place that a keyed hash chooses. So its memory is constant, and there is
// nothing that a flood of new parties could push out or fill up. Parties that
// share a place share its allowance; nobody outside can choose with whom.
//
// It is safe for concurrent use without a lock, and allocates nothing. Parties
// that act at the same time may each pass on the last of their allowance.
// A nil allowance is unlimited.
type allowance struct {
	cost  time.Duration // what one time uses up of the period
	depth time.Duration // the period
	seed  maphash.Seed
	start time.Time // a difference to it is monotonic: a clock that is set locks nobody out
	slots []atomic.Int64
}

// newAllowance makes an allowance with a number of slots that is a power of
// two; with one, all parties share it.
func newAllowance(most int, period time.Duration, slots int, now time.Time) *allowance {
	return &allowance{
		cost: period / time.Duration(most), depth: period,
		seed: maphash.MakeSeed(), start: now, slots: make([]atomic.Int64, slots),
	}
}

// take uses the allowance once, or says how long the party must wait.
func (a *allowance) take(who party, now time.Time) (retry time.Duration, ok bool) {
	if retry, spent := a.spent(who, now); spent {
		return retry, false
	}
	a.add(who, now)
	return 0, true
}

// spent reports whether nothing of the allowance is left, and if so how long
// the party must wait.
func (a *allowance) spent(who party, now time.Time) (retry time.Duration, spent bool) {
	if a == nil {
		return 0, false
	}
	cost, since := a.cost, now.Sub(a.start)
	for prefix := range who.prefixes {
		back := time.Duration(a.slot(prefix).Load())
		if wait := back + cost - a.depth - since; wait > retry {
			retry = wait
		}
		cost /= widerShare
	}
	return retry, retry > 0
}

// add uses the allowance once, whether there is any left or not: for a thing
// that turned out only afterwards to be one that counts.
func (a *allowance) add(who party, now time.Time) {
	if a == nil {
		return
	}
	cost, since := a.cost, now.Sub(a.start)
	for prefix := range who.prefixes {
		slot := a.slot(prefix)
		for {
			back := slot.Load()
			if slot.CompareAndSwap(back, max(back, int64(since))+int64(cost)) {
				break
			}
		}
		cost /= widerShare
	}
}

func (a *allowance) slot(prefix []byte) *atomic.Int64 {
	return &a.slots[maphash.Bytes(a.seed, prefix)&uint64(len(a.slots)-1)]
}
