package redis

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The keys that every flight of a shard is given, in the order of the constants in
// library/10-books.lua.
const (
	keyWallets = iota
	keyMeta
	keyJournal
	keyHolds
	keyDue
	keyGrants
	keyAhead
	keyRules
	fixedKeys
)

var keyNames = [fixedKeys]string{
	keyWallets: "wallets", keyMeta: "meta", keyJournal: "journal", keyHolds: "holds",
	keyDue: "due", keyGrants: "grants", keyAhead: "ahead", keyRules: "rules",
}

const (
	hourKeys    = 4 // of ids of charges that have overflowed
	hourMillis  = int64(time.Hour / time.Millisecond)
	dayMillis   = 24 * hourMillis
	openerParts = 1 << 14 // hashes of recovery digests: small ones take a third of the memory
)

// keys makes the names of a shard's keys. All have the shard's hash tag, so that in a
// Cluster a shard lies in one slot.
type keys struct {
	tag   string
	fixed [fixedKeys]string
	hours atomic.Pointer[hourNames]
}

func newKeys(name string, shard int) *keys {
	k := &keys{tag: fmt.Sprintf("{%s.%d}", name, shard)}
	for i, n := range keyNames {
		k.fixed[i] = k.tag + n
	}
	return k
}

// hourNames are the names for the ids of charges of some hours.
type hourNames struct {
	first int64
	names [hourKeys]string
}

// ofHours returns the hashes of the hours around a time: of ids up to an hour old,
// of those a little in the future, and one more to each side for clocks that differ.
func (k *keys) ofHours(now time.Time) *hourNames {
	first := now.UnixMilli()/hourMillis - 2
	if known := k.hours.Load(); known != nil && known.first == first {
		return known
	}
	h := &hourNames{first: first}
	for i := range h.names {
		h.names[i] = k.tag + "ids:" + strconv.FormatInt(first+int64(i), 10)
	}
	k.hours.Store(h)
	return h
}

// ofDay is the hash of the ids of money of a day.
func (k *keys) ofDay(made time.Time) string {
	return k.tag + "money:" + strconv.FormatInt(made.UnixMilli()/dayMillis, 10)
}

// outbox holds what is on its way to another shard.
func (k *keys) outbox(to int) string { return k.tag + "outbox:" + strconv.Itoa(to) }

// Of the first shard alone.
func (k *keys) list() string    { return k.tag + "list" }
func (k *keys) codes() string   { return k.tag + "codes" }
func (k *keys) serials() string { return k.tag + "vouchers" }

func (k *keys) registers() string     { return k.tag + "registers" }
func (k *keys) registerNames() string { return k.tag + "registernames" }

// openers holds the wallet that a recovery digest opens.
func (k *keys) openers(recovery shortDigest) string {
	return k.tag + "open:" + strconv.Itoa(int(binary.LittleEndian.Uint16(recovery[:]))%openerParts)
}

// shortDigest is the first half of a digest: enough that nobody finds another of the
// same half, and half the memory.
type shortDigest [16]byte

func shorten(d wallet.Digest) shortDigest { return shortDigest(d[:16]) }

// shardOf is where a wallet lies. It must never change.
func shardOf(id wallet.WalletID, shards int) int {
	if shards == 1 {
		return 0
	}
	return int(xxhash.Sum64(id[:]) % uint64(shards))
}
