package redis

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// leastRights are those of a Redis user that the README tells operators to make.
const leastRights = "~{paywall.* +@read +@write +@connection +time +wait -@scripting -@dangerous +fcall +function|load +info +config|get"

// A Redis is often shared. The paywall's user needs its own keys, and nothing that is
// dangerous to others.
func TestAUserOfRedisWithFewRightsDoes(t *testing.T) {
	server := redistest.Start(t)
	rights := []any{"ACL", "SETUSER", "paywall", "on", ">hunter2"}
	for _, right := range strings.Fields(leastRights) {
		rights = append(rights, right)
	}
	if _, err := server.Do(rights...); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Addresses: []string{server.Addr()}, Username: "paywall", Password: "hunter2", Shards: 2,
		Archive: smallArchive(t, t.TempDir()), pace: eager,
	}
	l := openOn(t, o, nil)
	for range 4 {
		id := ledgertest.NewWallet(t, l, time.Now, wallet.Unit)
		views(t, l, id, time.Now, 5)
	}
	if _, err := l.Report(t.Context(), time.Time{}, time.Now()); err != nil {
		t.Error(err)
	}
	ledgertest.AssertConserved(t, l)
	log, err := server.Do("ACL", "LOG")
	if err != nil || len(log.([]any)) > 0 {
		t.Errorf("Redis has refused %v, %v", log, err)
	}
}
