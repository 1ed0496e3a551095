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
	if a == nil {
		return 0, true
	}
	at, since := a.places(&who), now.Sub(a.start)
	if retry = a.wait(at, since); retry > 0 {
		return retry, false
	}
	a.use(at, since)
	return 0, true
}

// spent reports whether nothing of the allowance is left, and if so how long
// the party must wait.
func (a *allowance) spent(who party, now time.Time) (retry time.Duration, spent bool) {
	if a == nil {
		return 0, false
	}
	retry = a.wait(a.places(&who), now.Sub(a.start))
	return retry, retry > 0
}

// add uses the allowance once, whether there is any left or not: for a thing
// that turned out only afterwards to be one that counts.
func (a *allowance) add(who party, now time.Time) {
	if a != nil {
		a.use(a.places(&who), now.Sub(a.start))
	}
}

// places is where a party is counted: as itself and as each wider prefix.
type places [maxPrefixes]*atomic.Int64

func (a *allowance) places(who *party) (at places) {
	for i := range who.prefixes() {
		at[i] = &a.slots[maphash.Bytes(a.seed, who.prefix(i))&uint64(len(a.slots)-1)]
	}
	return at
}

func (a *allowance) wait(at places, since time.Duration) (retry time.Duration) {
	cost := a.cost
	for _, slot := range at {
		if slot == nil {
			break
		}
		back := time.Duration(slot.Load())
		retry = max(retry, back+cost-a.depth-since)
		cost /= widerShare
	}
	return retry
}

func (a *allowance) use(at places, since time.Duration) {
	cost := a.cost
	for _, slot := range at {
		if slot == nil {
			break
		}
		for back := slot.Load(); !slot.CompareAndSwap(back, max(back, int64(since))+int64(cost)); {
			back = slot.Load()
		}
		cost /= widerShare
	}
}
