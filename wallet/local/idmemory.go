package local

import (
	"hash/maphash"
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
	return idBuckets{memory: memory.Milliseconds(), width: width.Milliseconds(), dropped: -1, seed: maphash.MakeSeed()}
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
	seed    maphash.Seed
}

type idBucket struct {
	number int64 // the time in its ids, divided by the width
	newest int64
	ids    table[rememberedID]
}

// rememberedID is an id that took effect and the position of its record.
type rememberedID struct {
	id wallet.OpID
	at uint64
}

func (b *idBuckets) find(id wallet.OpID, made, now int64) (at uint64, known bool) {
	if now-made > b.memory {
		return 0, false
	}
	number := made / b.width
	for i := range b.buckets {
		if b.buckets[i].number == number {
			if there := b.buckets[i].item(maphash.Comparable(b.seed, id), &id); there != nil {
				return there.at, true
			}
			return 0, false
		}
	}
	return 0, false
}

func (b *idBuckets) remember(id wallet.OpID, at uint64) {
	made := idTime(id)
	bucket := b.bucket(made / b.width)
	bucket.newest = max(bucket.newest, made)
	hash := maphash.Comparable(b.seed, id)
	if there := bucket.item(hash, &id); there != nil {
		there.at = at
		return
	}
	bucket.ids.add(hash, rememberedID{id, at})
}

func (b *idBucket) item(hash uint64, id *wallet.OpID) *rememberedID {
	return b.ids.find(hash, func(r *rememberedID) bool { return r.id == *id })
}

// bucket returns a bucket and makes it where there is none. There are about
// a dozen, so looking through them costs less than a map.
func (b *idBuckets) bucket(number int64) *idBucket {
	for i := range b.buckets {
		if b.buckets[i].number == number {
			return &b.buckets[i]
		}
	}
	seed := b.seed
	b.buckets = append(b.buckets, idBucket{number: number, ids: newTable(func(r *rememberedID) uint64 {
		return maphash.Comparable(seed, r.id)
	})})
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
