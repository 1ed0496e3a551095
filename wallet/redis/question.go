package redis

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// ask is what a question is about; see the ASK_ constants of the library.
type ask byte

const (
	askStanding ask = iota + 1
	askCharge
	askBuy
	askFind
	askSettle
	askHold
	askCapture
	askRelease
	askTransfer
	askShare
	askArrive
	askCreate
	askClaim
	askUnclaim
	askRekey
	askFreeze
	askLook
	askPrecheck
	askIssue
	askRedeem
	askVoid
	askHistory
	askResume
	askScan
	askSweep
	askPut
	askRegisters
)

// ofMoney reports whether an answer is to be acknowledged at the strictest that the
// servers offer, whatever page views have.
func (a ask) ofMoney() bool {
	switch a {
	case askStanding, askCharge, askBuy, askFind, askSettle, askHold, askCapture, askRelease, askLook, askHistory, askPrecheck, askScan, askSweep, askRegisters:
		return false
	}
	return true
}

// question is what one operation asks of a shard. What it has in common with all
// others comes first, in the form of QUESTION in library/60-answer.lua; rest is its
// own.
type question struct {
	ask        ask
	id         wallet.OpID
	wallet     wallet.WalletID
	generation uint32
	amount     wallet.Amount
	span       int64 // milliseconds
	flags      byte
	rule       ruleKey
	resource   resourceKey
	rest       []byte
	asked      asked // what the journal is to say; none where nothing is written

	keys   []string // that only this question needs; rest has placeholders for their numbers
	keysAt [3]int   // where in rest the numbers of keys go
	text   []byte
}

const (
	questionSize = 75
	dayAt        = 37 // where the number of the key of the id's day goes
	idKeySize    = 14
)

// ruleKey and resourceKey stand for the names of rules and resources: parts of their
// SHA-256, so that nobody makes a page whose key is that of a page they have paid for.
type (
	ruleKey     [8]byte
	resourceKey [12]byte
	idKey       [idKeySize]byte
)

func ruleKeyOf(rule string) ruleKey {
	var room [wallet.MaxRule]byte // on the stack, where a conversion would be on the heap
	sum := sha256.Sum256(append(room[:0], rule...))
	return ruleKey(sum[:8])
}

func resourceKeyOf(resource string) resourceKey {
	var room [wallet.MaxResource]byte
	sum := sha256.Sum256(append(room[:0], resource...))
	return resourceKey(sum[:12])
}

// idKeyOf leaves out of an id the two bytes with its version: 62 random bits stay.
func idKeyOf(id wallet.OpID) (k idKey) {
	copy(k[:6], id[:6])
	copy(k[6:], id[8:])
	return k
}

// MarshalBinary is how the client library gets at the bytes without a copy.
func (q *question) MarshalBinary() ([]byte, error) { return q.text, nil }

// encode makes the question's bytes, with zero for the numbers of keys.
func (q *question) encode() {
	b := make([]byte, 0, questionSize+len(q.rest))
	key := idKeyOf(q.id)
	b = append(b, byte(q.ask))
	b = append(b, q.wallet[:]...)
	b = append(b, key[:]...)
	b = appendUint(b, uint64(q.id.Time().UnixMilli()), 6)
	b = append(b, 0)
	b = appendUint(b, uint64(q.generation), 3)
	b = appendUint(b, uint64(q.amount), 7)
	b = appendUint(b, uint64(q.span), 6)
	b = append(b, q.flags)
	b = append(b, q.rule[:]...)
	b = append(b, q.resource[:]...)
	q.text = append(b, q.rest...)
}

// needs reserves a byte in rest for the number of a key.
func (q *question) needs(key string) {
	q.keysAt[len(q.keys)] = len(q.rest)
	q.keys = append(q.keys, key)
	q.rest = append(q.rest, 0)
}

// MarshalBinary is as for question.
func (a *asked) MarshalBinary() ([]byte, error) { return *a, nil }

// appendUint appends the lowest n bytes of v, little endian.
func appendUint(b []byte, v uint64, n int) []byte {
	var all [8]byte
	binary.LittleEndian.PutUint64(all[:], v)
	return append(b, all[:n]...)
}

// uintOf reads n bytes, little endian.
func uintOf(b []byte, n int) uint64 {
	var all [8]byte
	copy(all[:], b[:n])
	return binary.LittleEndian.Uint64(all[:])
}

// appendShort appends a text of at most 255 bytes behind its length.
func appendShort(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

// Times are milliseconds since 1970 inside the ledger, and zero is no time.

// millis cuts t to the millisecond. The first instant of 1970 becomes the next one,
// since zero is taken.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if ms := t.UnixMilli(); ms > 0 {
		return ms
	}
	return 1
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
