package local

import (
	"crypto/sha256"

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

// grantShards is how many parts the grants lie in. A sweep visits one at a time,
// so that no charge waits while millions are looked through.
const grantShards = 256

// grants are what wallets have paid for.
type grants struct {
	shards [grantShards]map[grantKey]grant
	peak   [grantShards]int // the most a shard has had since it was made
}

func newGrants() grants {
	var g grants
	for i := range g.shards {
		g.shards[i] = make(map[grantKey]grant)
	}
	return g
}

// find returns a grant, closed or not, that has not ended.
func (g *grants) find(key grantKey, now int64) (grant, bool) {
	found, known := g.at(key)
	return found, known && !over(found.until, now)
}

// at returns what is remembered of a grant, ended or not.
func (g *grants) at(key grantKey) (grant, bool) {
	found, known := g.shards[key.resource[0]][key]
	return found, known
}

func (g *grants) set(key grantKey, to grant) { g.shards[key.resource[0]][key] = to }

// sweep forgets the grants of one shard that have ended.
func (g *grants) sweep(shard int, now int64) {
	m := g.shards[shard]
	g.peak[shard] = max(g.peak[shard], len(m))
	for key, there := range m {
		if over(there.until, now) {
			delete(m, key)
		}
	}
	if len(m) < g.peak[shard]/4 { // a map never shrinks; one that is mostly empty is made anew
		smaller := make(map[grantKey]grant, len(m))
		for key, there := range m {
			smaller[key] = there
		}
		g.shards[shard], g.peak[shard] = smaller, len(smaller)
	}
}
