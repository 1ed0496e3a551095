package local

import (
	"encoding/binary"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// content collects what an operation asks for, all but its id, into a hash. The
// record keeps the hash, so that the same id with other content is seen to be a
// Conflict. Who makes two contents of one hash on purpose gets Replayed where
// Conflict was due, and no money moves either way.
type content []byte

// contentRoom is the bytes of most contents; a longer one is moved to the heap.
const contentRoom = 1 << 10

func (c content) hash() uint64 { return xxhash.Sum64(c) }

func (c content) number(n int64) content { return binary.LittleEndian.AppendUint64(c, uint64(n)) }

func (c content) bytes(b []byte) content { return append(c, b...) }

func (c content) text(s string) content { return append(c.number(int64(len(s))), s...) }

func (c content) duration(d time.Duration) content { return c.number(d.Milliseconds()) }

func (c content) account(a wallet.Account) content { return c.bytes(a.Wallet[:]).text(a.Name) }

func (c content) bool(b bool) content {
	if b {
		return append(c, 1)
	}
	return append(c, 0)
}
