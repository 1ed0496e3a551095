package redis

import (
	"fmt"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// A replica that has not received the last of what was acknowledged becomes the master.
// With durability durable nobody has waited for it, so it is lost there; the instances
// that acknowledged it notice and carry it out again (invariant 5). In which order is
// theirs: the balances in old receipts need not be those of the new history.
var lossyFailover = &schedule{
	fault: "failover that loses, durable", times: 1, between: 300, loses: true,
	draws: (*client).viewsAndTopUps,
	begin: func(r *run) {
		r.sentinels = redistest.StartSentinel(r, 1)
		r.log = new(logged)
		r.options.Addresses, r.options.Master, r.options.Durability = r.sentinels.Addrs(), redistest.MasterName, Durable
		r.options.Log = r.log.logger()
		for range 3 {
			r.open(r.options)
		}
	},
	breaks: func(r *run) {
		master, replica := r.sentinels.Master(), r.sentinels.Replicas()[0]
		replica.Pause()
		if _, err := master.Do("CLIENT", "KILL", "TYPE", "replica"); err != nil {
			r.Fatal(err)
		}
		r.until(500) // nobody but the master has these
		master.Kill()
		replica.Resume()
		r.sentinels.KillMaster()
		master.Restart()
		r.sentinels.WaitUntilOK()
		r.eventually("the log says that something was lost and what became of it", func() bool {
			return r.log.has("a failover has lost what was acknowledged") && r.log.has("carried_out_again=")
		})
	},
}

func TestChaosAFailoverThatLosesIsRepaired(t *testing.T) {
	t.Parallel()
	chaos(t, lossyFailover)
}

// viewsAndTopUps are operations that succeed in whichever order.
func (c *client) viewsAndTopUps() any {
	w := c.someWallet()
	time.Sleep(time.Duration(c.random.IntN(10)) * time.Millisecond) // a failover takes seconds
	if c.random.IntN(10) == 0 {
		return wallet.Transfer{ID: newOpID(), From: wallet.FundingOperator, To: wallet.WalletAccount(w), Amount: 1}
	}
	return wallet.Charge{
		ID: newOpID(), Wallet: w, Generation: 1, Rule: "news", Resource: fmt.Sprintf("news:/%s", newOpID()),
		Price: 1, Window: 24 * time.Hour,
	}
}

// A server that syncs once a second is killed. What it had not written yet when it
// answered is carried out again by whoever had the answer (invariant 5).
var killOfAFastRedis = &schedule{
	fault: "kill -9 of Redis, everysec, fast", times: 2, between: 200, loses: true, draws: (*client).viewsAndTopUps,
	begin: func(r *run) {
		r.server = redistest.Start(r, "appendfsync everysec")
		r.options.Durability = Fast
		r.openAt(r.server.Addr(), r.server.Addr())
	},
	breaks: killOfRedis.breaks,
}

func TestChaosAKillOfAFastRedisLosesNothing(t *testing.T) { chaos(t, killOfAFastRedis) }
