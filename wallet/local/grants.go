package local

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// resourceKey stands for a resource: the first half of its SHA-256, so that the
// books keep no text of it, forget it with its last grant, and nobody can make
// a page whose key is that of a page they have paid for.
type resourceKey [16]byte

func resourceKeyOf(resource string) resourceKey {
	var room [wallet.MaxResource]byte // on the stack, where a conversion would be on the heap
	sum := sha256.Sum256(append(room[:0], resource...))
	return resourceKey(sum[:])
}

type grantKey struct {
	wallet   uint32
	resource resourceKey
}

// hash spreads the bits that the key has from SHA-256 (the finalizer is MurmurHash3's,
// https://github.com/aappleby/smhasher). It is the same in every process, so that a
// snapshot, which has the grants in the order of the table, is read into one in that
// order, and ten million grants are not ten million cache misses. Who wants to make
// keys of one hash has to pay for a page with each.
func (k grantKey) hash() uint64 {
	h := binary.LittleEndian.Uint64(k.resource[:]) ^ uint64(k.wallet)*0x9e3779b97f4a7c15
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// grant is what was paid for, and the charge that paid for it.
type grant struct {
	until int64
	paid  uint64 // position of the charge; zero: a capture alone
	flags grantFlags
}

type grantFlags uint8

const (
	grantAhead    grantFlags = 1 << iota // paid ahead
	grantSettled                         // and settled since
	grantClosed                          // refunded: nothing to read
	grantCaptured                        // a capture has paid too: a refund closes nothing
)

func (g grant) has(f grantFlags) bool { return g.flags&f != 0 }

// grantItem is a grant as it lies in memory, with nothing lost between its fields.
type grantItem struct {
	wallet   uint32
	flags    grantFlags
	resource resourceKey
	until    int64
	paid     uint64
}

func (i *grantItem) key() grantKey { return grantKey{i.wallet, i.resource} }

func (i *grantItem) grant() grant { return grant{i.until, i.paid, i.flags} }

// grants are what wallets have paid for.
type grants struct{ table table[grantItem] }

func newGrants() grants {
	return grants{newTable(func(i *grantItem) uint64 { return i.key().hash() })}
}

// find returns a grant, closed or not, that has not ended.
func (g *grants) find(key grantKey, now int64) (grant, bool) {
	found, known := g.at(key)
	return found, known && !over(found.until, now)
}

// at returns what is remembered of a grant, ended or not.
func (g *grants) at(key grantKey) (grant, bool) {
	if there := g.item(key.hash(), &key); there != nil {
		return there.grant(), true
	}
	return grant{}, false
}

func (g *grants) item(hash uint64, key *grantKey) *grantItem {
	return g.table.find(hash, func(i *grantItem) bool { return i.wallet == key.wallet && i.resource == key.resource })
}

func (g *grants) set(key grantKey, to grant) {
	hash := key.hash()
	item := grantItem{key.wallet, to.flags, key.resource, to.until, to.paid}
	if there := g.item(hash, &key); there != nil {
		*there = item
		return
	}
	g.table.add(hash, item)
}

// sweep forgets the grants of one shard that have ended. A sweep visits one
// shard at a time, so that no charge waits while millions are looked through.
func (g *grants) sweep(shard int, now int64) {
	g.table.drop(shard, func(item *grantItem) bool { return over(item.until, now) })
}
