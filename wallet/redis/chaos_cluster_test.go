package redis

import (
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// threeNodes is a Cluster whose nodes have some shards each.
func threeNodes(r *run) {
	r.cluster = redistest.StartCluster(r, 3, 0)
	r.options.Addresses, r.options.Cluster, r.options.Shards = r.cluster.Addrs(), true, 6
	for range 3 {
		r.open(r.options)
	}
}

// Slots with whole shards in them move from node to node, a key at a time, while clients
// use them: to each flight all keys of its shard are at one node or it is sent on
// (invariants 1, 3).
var movingSlots = &schedule{
	fault: "a Cluster's slots move", times: 3, between: 100, begin: threeNodes,
	breaks: func(r *run) {
		shards := r.all()[0].ledger.shards
		slot := r.cluster.KeySlot(shards[r.random.IntN(len(shards))].fixed[keyMeta])
		from := r.cluster.OwnerOf(slot)
		to := from
		for to == from {
			to = r.cluster.Nodes[r.random.IntN(len(r.cluster.Nodes))]
		}
		move := r.cluster.BeginMove(r, slot, from, to)
		for move.MoveKeys(1) > 0 {
			r.until(2)
		}
		move.Finish()
	},
}

func TestChaosShardsThatMoveLoseAndDoubleNothing(t *testing.T) { chaos(t, movingSlots) }

// One node of three is killed and started again. Shards of the others go on until the
// Cluster as a whole refuses.
var killOfANode = &schedule{
	fault: "kill -9 of a Cluster's node", times: 1, between: 200, begin: threeNodes,
	breaks: func(r *run) {
		node := r.cluster.Nodes[r.random.IntN(len(r.cluster.Nodes))]
		node.Kill()
		r.untilRefused(20)
		node.Restart()
		r.cluster.WaitUntilOK()
	},
}

func TestChaosAKillOfAClustersNodeLosesAndDoublesNothing(t *testing.T) {
	t.Parallel() // it waits for most of the time
	chaos(t, killOfANode)
}
