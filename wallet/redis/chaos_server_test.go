package redis

import (
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// What an operator does to a Redis that runs.

func threeCaddys(r *run) {
	r.server = redistest.Start(r)
	r.openAt(r.server.Addr(), r.server.Addr(), r.server.Addr())
}

func (r *run) must(args ...any) {
	r.Helper()
	if _, err := r.server.Do(args...); err != nil {
		r.Fatalf("%v: %v", args, err)
	}
}

// SCRIPT FLUSH and FUNCTION FLUSH are noticed by nobody: the library is given again.
var scriptFlush = &schedule{
	fault: "SCRIPT FLUSH, FUNCTION FLUSH", times: 12, between: 20, begin: threeCaddys,
	breaks: func(r *run) {
		before := r.refusals.Load()
		r.must("SCRIPT", "FLUSH")
		r.must("FUNCTION", "FLUSH")
		r.until(20)
		if n := r.refusals.Load() - before; n > 0 {
			r.Errorf("%d operations were refused because the functions had been flushed", n)
		}
	},
}

func TestChaosAScriptFlushIsNoticedByNobody(t *testing.T) { chaos(t, scriptFlush) }

// Without memory Redis refuses, and changes nothing: no debit without its grant
// (invariants 1, 4).
var outOfMemory = &schedule{
	fault: "no memory (maxmemory)", times: 2, between: 200, begin: threeCaddys,
	breaks: func(r *run) {
		r.must("CONFIG", "SET", "maxmemory", "1mb")
		r.untilRefused(50)
		r.must("CONFIG", "SET", "maxmemory", "0")
	},
}

func TestChaosARedisWithoutMemoryRefusesAndLosesNothing(t *testing.T) { chaos(t, outOfMemory) }

// A server that is made a replica refuses what changes something, and takes it again as a
// master.
var readOnly = &schedule{
	fault: "made a replica (REPLICAOF) and back", times: 2, between: 200, begin: threeCaddys,
	breaks: func(r *run) {
		r.must("REPLICAOF", "127.0.0.1", 1)
		r.untilRefused(50)
		r.must("REPLICAOF", "NO", "ONE")
	},
}

func TestChaosAServerMadeAReplicaLosesNothing(t *testing.T) { chaos(t, readOnly) }

// Somebody turns the AOF off. It is noticed, refused in words with the cure in them, and
// taken back when it is on again (invariant 5).
var noFile = &schedule{
	fault: "appendonly no, and yes again", times: 2, between: 200,
	begin: func(r *run) {
		r.log = new(logged)
		r.options.Log, r.options.promisesEvery = r.log.logger(), 50*time.Millisecond
		threeCaddys(r)
	},
	breaks: func(r *run) {
		r.must("CONFIG", "SET", "appendonly", "no")
		r.eventually("all instances refuse", func() bool {
			for _, c := range r.all() {
				if _, err := c.ledger.Wallet(r.Context(), r.wallets[0]); err == nil || !strings.Contains(err.Error(), "CONFIG SET appendonly yes") {
					return false
				}
			}
			return true
		})
		if !r.log.has("no longer keeps what it is told") {
			r.Error("the log has not heard that the AOF is off")
		}
		r.must("CONFIG", "SET", "appendonly", "yes")
	},
}

func TestChaosARedisWithoutItsFileIsRefusedUntilItIsBack(t *testing.T) { chaos(t, noFile) }
