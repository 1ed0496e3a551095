package redis

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// Invariant 5, for the archive: when the ledger has been closed, all that it has
// acknowledged is there. Without a round before that: only the last one archives.
func TestEverythingAcknowledgedIsInTheArchive(t *testing.T) {
	for name, o := range map[string]Options{
		"one server": {Addresses: []string{redistest.Start(t).Addr()}, Shards: 3},
		"a cluster":  {Addresses: redistest.StartCluster(t, 3, 0).Addrs(), Cluster: true},
	} {
		t.Run(name, func(t *testing.T) {
			o.Archive, o.pace = smallArchive(t, t.TempDir()), &pace{every: time.Hour}
			l := openOn(t, o, nil)
			var mu sync.Mutex
			acknowledged := make(map[int][]wallet.OpID)
			var charging sync.WaitGroup
			for range 8 {
				charging.Go(func() {
					id := ledgertest.NewWallet(t, l, time.Now, 100*pagePrice)
					for _, c := range views(t, l, id, time.Now, 50) {
						mu.Lock()
						acknowledged[l.shardOf(id).number] = append(acknowledged[l.shardOf(id).number], c.ID)
						mu.Unlock()
					}
				})
			}
			charging.Wait()
			ledgertest.AssertConserved(t, l)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			for shard, want := range acknowledged {
				ids := archivedIDs(t, o.Archive, shard)
				for _, id := range want {
					if !ids[id] {
						t.Errorf("shard %d: an acknowledged charge is not in the archive", shard)
					}
				}
			}
		})
	}
}

var someTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The newest entries are not archived before a failover's repair is over, and what is
// archived stays in memory for as long as Options say. The pace is the real one but for
// the rounds.
func TestTheJournalIsTrimmedOnlyBehindKeep(t *testing.T) {
	clock := ledgertest.NewClock(someTime)
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Archive: smallArchive(t, t.TempDir())}
	o.pace = &pace{every: time.Millisecond, after: archiveAfter, keep: MinKeep}
	l := openOn(t, o, clock.Now)
	id := ledgertest.NewWallet(t, l, clock.Now, 100*pagePrice)
	views(t, l, id, clock.Now, 20)
	all := len(inMemory(t, l, 0))
	clock.Advance(archiveAfter - time.Millisecond)
	rounds()
	if n := archivedTo(t, l, 0); n != 0 {
		t.Fatalf("%d entries are archived before it is time", n)
	}
	clock.Advance(time.Millisecond)
	allArchived(t, l, 0)
	clock.Advance(MinKeep - archiveAfter - time.Millisecond)
	rounds()
	if n := len(inMemory(t, l, 0)); n != all {
		t.Fatalf("%d of %d entries are in memory before it is time", n, all)
	}
	views(t, l, id, clock.Now, 5) // younger, and not archived
	clock.Advance(time.Millisecond)
	soon(t, "the old entries are trimmed", func() bool { return len(inMemory(t, l, 0)) == 1+5 })
	rounds()
	if found := inMemory(t, l, 0); len(found) != 1+5 || found[0].sequence != uint64(all) {
		t.Fatalf("%d entries are in memory from %d on: the archive's newest must stay", len(found), found[0].sequence)
	}
	ledgertest.AssertConserved(t, l)
}

// failing is an archive that takes nothing for a while.
type failing struct {
	Archive
	fails atomic.Bool
}

var errNoRoom = errors.New("no space left on device")

func (f *failing) Append(ctx context.Context, shard int, entries []Entry) error {
	if f.fails.Load() {
		return errNoRoom
	}
	return f.Archive.Append(ctx, shard, entries)
}

func TestWhatIsNotArchivedStays(t *testing.T) {
	archive, log := &failing{Archive: smallArchive(t, t.TempDir())}, new(logged)
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Archive: archive, Log: log.logger(), pace: eager}
	l := openOn(t, o, nil)
	id := ledgertest.NewWallet(t, l, time.Now, 100*pagePrice)
	allArchived(t, l, 0)
	archive.fails.Store(true)
	before := archivedTo(t, l, 0)
	views(t, l, id, time.Now, 20) // the ledger goes on
	rounds()
	if found := inMemory(t, l, 0); found[0].sequence > before || len(found) < 20 {
		t.Fatalf("the archive ends at %d and memory begins at %d", before, found[0].sequence)
	}
	archive.fails.Store(false)
	allArchived(t, l, 0)
	soon(t, "the journal is trimmed", func() bool { return len(inMemory(t, l, 0)) == 1 })
	soon(t, "the log hears that it goes on", func() bool { return log.has("archived again") })
	if said := strings.Count(log.String(), errNoRoom.Error()); said != 1 {
		t.Errorf("the log has heard of it %d times:\n%s", said, log)
	}
	ledgertest.AssertConserved(t, l)
}

// Invariant 7: every balance comes out of the journal, wherever that is, and what is told
// of the past is the same.
func TestAuditsAndListingsAreTheSameAfterTrimming(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Shards: 2}
	l := openOn(t, o, nil)
	a, b := ledgertest.NewWallet(t, l, time.Now, 200*pagePrice), ledgertest.NewWallet(t, l, time.Now, 200*pagePrice)
	charges := append(views(t, l, a, time.Now, 100), views(t, l, b, time.Now, 100)...)
	if r, err := l.Transfer(context.Background(), wallet.Transfer{
		ID: ledgertest.NewID(t, time.Now), From: wallet.WalletAccount(a), To: wallet.WalletAccount(b), Amount: 1, Generation: 1,
	}); err != nil || r.Outcome != wallet.Applied {
		t.Fatal(r, err)
	}
	before := tale(t, l, a, b)
	o.Archive, o.pace = smallArchive(t, t.TempDir()), eager
	archiving := openOn(t, o, nil)
	for shard := range 2 {
		soon(t, "the journal is trimmed", func() bool { return len(inMemory(t, l, shard)) <= 1 })
	}
	if after := tale(t, archiving, a, b); after != before {
		t.Errorf("before trimming\n%s\nand after\n%s", before, after)
	}
	for _, c := range charges { // a retry is answered from the archive too (invariants 3, 6)
		if r, err := archiving.Charge(context.Background(), c); err != nil || r.Outcome != wallet.Replayed {
			t.Fatalf("a retry answered %v, %v", r.Outcome, err)
		}
	}
	ledgertest.AssertConserved(t, archiving)
	if _, err := l.Verify(context.Background()); !errors.Is(err, errNoArchive) {
		t.Errorf("an audit by a process without the archive: %v", err)
	}
	if n := len(entriesOfWallet(t, l, a)); n > 3 {
		t.Errorf("a process without the archive lists %d entries", n)
	}
}

func TestAuditsBesideChargesWhileTheJournalIsTrimmed(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Shards: 2, Archive: smallArchive(t, t.TempDir()), pace: eager}
	l := openOn(t, o, nil)
	var charging sync.WaitGroup
	var stop atomic.Bool
	var ids []wallet.WalletID
	for range 4 {
		ids = append(ids, ledgertest.NewWallet(t, l, time.Now, 1_000_000*pagePrice))
	}
	for _, id := range ids {
		charging.Go(func() {
			for !stop.Load() {
				view(t, l, id, time.Now)
			}
		})
	}
	for range 20 {
		tale(t, l)
		for _, id := range ids {
			if _, _, err := l.Entries(context.Background(), id, "", 100); err != nil {
				t.Error(err)
			}
		}
	}
	stop.Store(true)
	charging.Wait()
	if first := inMemory(t, l, shardOf(ids[0], 2))[0].sequence; first < 100 {
		t.Errorf("memory begins at entry %d: too little was trimmed to prove anything", first)
	}
	ledgertest.AssertConserved(t, l)
}
