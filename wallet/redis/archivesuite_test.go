package redis

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// eager archives at once, and leaves only the newest entry in the servers' memory.
var eager = &pace{every: time.Millisecond}

// The whole suite, with a journal that is in the archive but for its end (invariants 3,
// 5 and 7).
func TestConformanceWithAnArchive(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, archivingOn(Options{Addresses: []string{redistest.Start(t).Addr()}}))
}

func TestPropertyWithAnArchive(t *testing.T) {
	t.Parallel()
	ledgertest.Property(t, archivingOn(Options{Addresses: []string{redistest.Start(t).Addr()}}))
}

func TestConformanceWithAnArchiveOfSeveralShards(t *testing.T) {
	t.Parallel()
	e := archivingOn(Options{Addresses: []string{redistest.Start(t).Addr()}, Shards: 3})
	e.Together = func(a, b wallet.WalletID) bool { return shardOf(a, 3) == shardOf(b, 3) }
	ledgertest.Run(t, e)
}

// archivingOn is engineOn with an archive for each ledger.
func archivingOn(o Options) ledgertest.Engine {
	e := engineOn(o)
	e.Open = func(t testing.TB, clock func() time.Time) wallet.Ledger {
		o := o
		o.Name = ledgertest.NewID(t, time.Now).String()
		o.Archive = smallArchive(t, filepath.Join(t.TempDir(), "archive"))
		o.pace = eager
		return openOn(t, o, clock)
	}
	return e
}

// smallSegment makes an archive begin a segment for every few entries.
const smallSegment = 4 << 10

func smallArchive(t testing.TB, path string) *directory {
	t.Helper()
	d, err := openDirectory(path)
	if err != nil {
		t.Fatalf("opening the archive: %v", err)
	}
	d.size = smallSegment
	t.Cleanup(func() { d.Close() })
	return d
}
