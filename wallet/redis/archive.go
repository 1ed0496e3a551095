package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// ErrOtherLedger is why an [Archive] refuses a ledger.
var ErrOtherLedger = errors.New("another ledger's archive")

// Archive is where entries of the journal go for good, so that the servers' memory has
// only the newest: [OpenDirectory] makes one of files, and [NewWriter] one of anything
// that takes bytes. Give it to [Open] in [Options].
//
// The ledger appends what is older than ten seconds, and then trims the journal in the
// servers' memory of what is older than Options.Keep and durable in the archive. Only
// one archive may do so for a ledger, and its name is written down there: two would each
// miss what the other has trimmed. Other processes run without, and answer audits only
// as far as the servers' memory goes.
//
// [Ledger.Close] archives once more and then leaves the archive alone: who opened it
// closes it, after the ledger.
//
// The methods are safe for concurrent use.
type Archive interface {
	// Attach says whose journal follows: 32 hexadecimal digits that tell ledgers
	// apart. It is called before anything else, and again at any time. It returns the
	// archive's own name, and refuses with ErrOtherLedger where the archive is another
	// ledger's.
	Attach(ctx context.Context, ledger string) (name string, err error)

	// Last is the newest entry of a shard that is durable in the archive; zero: none.
	Last(ctx context.Context, shard int) (Place, error)

	// Append adds entries to a shard's. The first follows the newest that is there,
	// and each the one before it. When it returns without an error all are durable;
	// after an error none is there, or the archive answers everything with an error.
	Append(ctx context.Context, shard int, entries []Entry) error

	// Rewind makes an older entry of a shard the newest: those behind it are void,
	// because the servers have lost them in a failover and given their numbers to
	// others. The zero place makes all of them void.
	Rewind(ctx context.Context, shard int, to Place) error

	// Read calls do for a shard's entries from one number to another, both included,
	// in order, until there is none. An error of do ends it. Damage is a
	// wallet.ErrCorrupt; it is never read as an entry.
	Read(ctx context.Context, shard int, from, to uint64, do func(Entry) error) error

	// Close ends the archive's use.
	Close() error
}

// Entry is one entry of a shard's journal: what one flight changed.
type Entry struct {
	Sequence uint64 // one more than that of the entry before; the first is 1
	Tag      uint64 // random, to tell it from another that got the same number
	Text     string // see library/30-journal.lua
}

// Place is which entry of a shard's journal.
type Place struct{ Sequence, Tag uint64 }

func (e *Entry) place() Place { return Place{Sequence: e.Sequence, Tag: e.Tag} }

// errUnreadable is the answer of an archive that is only written to.
var errUnreadable = errors.New("this archive is only written to and cannot be read: what has been archived is where the writer sent it")

// archiveName is what an archive knows the ledger by. It is made of the id and is not
// the id, which is the key of the cursors: whoever has a copy of the archive must not be
// able to forge them.
func (l *Ledger) archiveName() string {
	sum := sha256.Sum256([]byte("archive of " + l.id))
	return hex.EncodeToString(sum[:16])
}
