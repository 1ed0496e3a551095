package local

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// idMemory remembers which ids took effect, and where in the journal: there
// stands what a retry gets back. Ids lie in buckets by their own time, which
// are dropped whole.
type idMemory struct {
	charges idBuckets // of every operation, for wallet.ChargeMemory: a charge looks here alone
	money   idBuckets // of those with wallet.MoneyMemory, for as long
	settled idBuckets // of the charges that were settled, for wallet.ChargeMemory
}

func newIDMemory() idMemory {
	return idMemory{
		charges: newIDBuckets(wallet.ChargeMemory, 5*time.Minute),
		money:   newIDBuckets(wallet.MoneyMemory, 12*time.Hour),
		settled: newIDBuckets(wallet.ChargeMemory, 5*time.Minute),
	}
}

func newIDBuckets(memory, width time.Duration) idBuckets {
	return idBuckets{memory: memory.Milliseconds(), width: width.Milliseconds(), dropped: -1}
}

// ofCharge reports whether an operation of a kind has wallet.ChargeMemory.
func ofCharge(kind wallet.Kind) bool {
	switch kind {
	case wallet.KindCharge, wallet.KindVisit, wallet.KindBuy, wallet.KindRefund, wallet.KindDeliver,
		wallet.KindHold, wallet.KindCapture, wallet.KindRelease:
		return true
	}
	return false
}

func (m *idMemory) remember(id wallet.OpID, kind wallet.Kind, at uint64) {
	m.charges.remember(id, at)
	if !ofCharge(kind) {
		m.money.remember(id, at)
	}
}

// verdict is what an id says about its operation.
type verdict uint8

const (
	idNew verdict = iota
	idKnown
	idStale
)

// judge looks an id up for an operation of a kind. Where it is known, at is the
// position of its record.
func (m *idMemory) judge(id wallet.OpID, kind wallet.Kind, now int64) (v verdict, at uint64) {
	made, memory := idTime(id), &m.money
	if ofCharge(kind) {
		memory = &m.charges
	}
	if now-made > memory.memory || made <= memory.dropped {
		return idStale, 0
	}
	at, known := m.charges.find(id, made, now)
	if !known && memory == &m.money {
		at, known = m.money.find(id, made, now)
	}
	switch {
	case known:
		return idKnown, at
	case made-now > wallet.MaxClockSkew.Milliseconds():
		return idStale, 0
	}
	return idNew, 0
}

func (m *idMemory) forget(now int64) {
	m.charges.forget(now)
	m.money.forget(now)
	m.settled.forget(now)
}

// idTime is the time in an id, in milliseconds.
func idTime(id wallet.OpID) int64 {
	return int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 | int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
}

// idBuckets are the ids of one memory.
type idBuckets struct {
	memory  int64 // milliseconds
	width   int64 // of a bucket, milliseconds
	buckets []idBucket
	dropped int64 // the newest time in an id that was forgotten; -1: none was
}

type idBucket struct {
	number int64 // the time in its ids, divided by the width
	newest int64
	at     map[wallet.OpID]uint64 // positions in the journal
}

func (b *idBuckets) find(id wallet.OpID, made, now int64) (at uint64, known bool) {
	if now-made > b.memory {
		return 0, false
	}
	number := made / b.width
	for i := range b.buckets {
		if b.buckets[i].number == number {
			at, known = b.buckets[i].at[id]
			return at, known
		}
	}
	return 0, false
}

func (b *idBuckets) remember(id wallet.OpID, at uint64) {
	made := idTime(id)
	bucket := b.bucket(made / b.width)
	bucket.at[id] = at
	bucket.newest = max(bucket.newest, made)
}

// bucket returns a bucket and makes it where there is none. There are about
// a dozen, so looking through them costs less than a map.
func (b *idBuckets) bucket(number int64) *idBucket {
	for i := range b.buckets {
		if b.buckets[i].number == number {
			return &b.buckets[i]
		}
	}
	b.buckets = append(b.buckets, idBucket{number: number, at: make(map[wallet.OpID]uint64)})
	return &b.buckets[len(b.buckets)-1]
}

// forget drops the buckets whose ids are all older than the memory. It notes
// the newest of them: should the clock go back, what was forgotten stays Stale
// instead of becoming a second debit.
func (b *idBuckets) forget(now int64) {
	kept := b.buckets[:0]
	for _, bucket := range b.buckets {
		if now-bucket.newest > b.memory {
			b.dropped = max(b.dropped, bucket.newest)
			continue
		}
		kept = append(kept, bucket)
	}
	clear(b.buckets[len(kept):])
	b.buckets = kept
}
