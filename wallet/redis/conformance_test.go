package redis

import (
	"cmp"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/local"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

func TestConformanceOnOneServer(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, engineOn(Options{Addresses: []string{redistest.Start(t).Addr()}}))
}

func TestPropertyOnOneServer(t *testing.T) {
	t.Parallel()
	ledgertest.Property(t, engineOn(Options{Addresses: []string{redistest.Start(t).Addr()}}))
}

func TestConformanceOnACluster(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, engineOn(Options{Addresses: redistest.StartCluster(t, 3, 0).Addrs(), Cluster: true}))
}

func TestPropertyOnACluster(t *testing.T) {
	t.Parallel()
	ledgertest.Property(t, engineOn(Options{Addresses: redistest.StartCluster(t, 3, 0).Addrs(), Cluster: true}))
}

func TestConformanceOnSentinels(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t, 1)
	ledgertest.Run(t, engineOn(Options{Addresses: s.Addrs(), Master: redistest.MasterName, Durability: Strict}))
}

func TestPropertyOnSentinels(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t, 1)
	ledgertest.Property(t, engineOn(Options{Addresses: s.Addrs(), Master: redistest.MasterName, Durability: Strict}))
}

// engineOn is this package on some servers for the conformance suite. Each ledger has a
// name of its own.
func engineOn(o Options) ledgertest.Engine {
	e := ledgertest.Engine{
		Open: func(t testing.TB, clock func() time.Time) wallet.Ledger {
			o := o
			o.Name = ledgertest.NewID(t, time.Now).String()
			return openOn(t, o, clock)
		},
		Reopen: func(t testing.TB, l wallet.Ledger, clock func() time.Time) wallet.Ledger {
			t.Helper()
			if err := l.Close(); err != nil {
				t.Fatalf("closing the ledger: %v", err)
			}
			return openOn(t, l.(*Ledger).options, clock)
		},
		IDsOfWallets: true,
	}
	if o.Cluster {
		e.Together = func(a, b wallet.WalletID) bool {
			return shardOf(a, defaultClusterSize) == shardOf(b, defaultClusterSize)
		}
	}
	return e
}

func openOn(t testing.TB, o Options, clock func() time.Time) *Ledger {
	t.Helper()
	o.Clock = clock
	o.Timeout, o.Patience = cmp.Or(o.Timeout, 10*time.Second), cmp.Or(o.Patience, 30*time.Second) // a busy machine is no fault
	l, err := Open(o)
	if err != nil {
		t.Fatalf("opening the ledger: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// localEngine is the embedded ledger, to move from and to.
var localEngine = ledgertest.Engine{
	Open: func(t testing.TB, clock func() time.Time) wallet.Ledger {
		t.Helper()
		l, err := local.Open(local.Options{Dir: t.TempDir(), Clock: clock})
		if err != nil {
			t.Fatalf("opening the ledger: %v", err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	},
}

func TestALedgerMovesFromRedisToTheEmbeddedEngine(t *testing.T) {
	t.Parallel()
	ledgertest.Move(t, engineOn(Options{Addresses: []string{redistest.Start(t).Addr()}}), localEngine)
}

func TestALedgerMovesFromTheEmbeddedEngineToRedis(t *testing.T) {
	t.Parallel()
	ledgertest.Move(t, localEngine, engineOn(Options{Addresses: []string{redistest.Start(t).Addr()}}))
}

func TestALedgerMovesFromAClusterToTheEmbeddedEngine(t *testing.T) {
	t.Parallel()
	ledgertest.Move(t, engineOn(Options{Addresses: redistest.StartCluster(t, 3, 0).Addrs(), Cluster: true}), localEngine)
}
