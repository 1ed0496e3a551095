package redis

import (
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// These are the rights of a Redis user that the README tells operators to make.
const (
	leastRights     = "~{paywall.* +@read +@write +@connection +time +wait -@scripting -@dangerous +fcall +function|load +info +config|get +bgrewriteaof"
	leastOfACluster = "+cluster|slots"
)

// A Redis is often shared. The paywall's user needs its own keys, and nothing that is
// dangerous to others.
func TestAUserOfRedisWithFewRightsDoes(t *testing.T) {
	server := redistest.Start(t, "user paywall on >hunter2 "+leastRights)
	wantsFewRights(t, Options{Addresses: []string{server.Addr()}, Shards: 2})
	log, err := server.Do("ACL", "LOG")
	if err != nil || len(log.([]any)) > 0 {
		t.Errorf("Redis has refused %v, %v", log, err)
	}
}

func TestAUserOfAClusterWithFewRightsDoes(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0, "user paywall on >hunter2 "+leastRights+" "+leastOfACluster)
	wantsFewRights(t, Options{Addresses: cluster.Addrs(), Cluster: true})
}

// wantsFewRights has a ledger sell, archive and look through its books as that user.
func wantsFewRights(t *testing.T, o Options) {
	t.Helper()
	o.Username, o.Password = "paywall", "hunter2"
	o.Archive, o.pace = smallArchive(t, t.TempDir()), eager
	l := openOn(t, o, nil)
	for range 8 {
		id := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
		views(t, l, id, time.Now, 5)
	}
	if _, err := l.Report(t.Context(), time.Time{}, time.Now()); err != nil {
		t.Error(err)
	}
	ledgertest.AssertConserved(t, l)
}
