package redis

import (
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// The master is killed, the Sentinels make its replica the master, and the old one comes
// back and follows. With durability strict nothing that was acknowledged is lost
// (invariant 5).
var failover = &schedule{
	fault: "failover by Sentinels, strict", times: 1, between: 300,
	begin: func(r *run) {
		r.sentinels = redistest.StartSentinel(r, 1)
		r.options.Addresses, r.options.Master, r.options.Durability = r.sentinels.Addrs(), redistest.MasterName, Strict
		for range 3 {
			r.open(r.options)
		}
	},
	breaks: func(r *run) {
		killed := r.sentinels.KillMaster()
		killed.Restart()
		r.sentinels.WaitUntilOK()
	},
}

func TestChaosAFailoverLosesAndDoublesNothing(t *testing.T) {
	t.Parallel() // it waits for most of the time
	chaos(t, failover)
}
