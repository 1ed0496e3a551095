package redis

import (
	"testing"
)

// Redis is killed under load and started again on what it has synced, again and again
// (invariants 1 to 6). The Caddys go on by themselves.
var killOfRedis = &schedule{
	fault: "kill -9 of Redis", times: 3, between: 250,
	begin: threeCaddys,
	breaks: func(r *run) {
		r.server.Kill()
		if r.random.IntN(2) == 0 {
			r.untilRefused(50) // else it is back before anybody's patience is over
		}
		r.server.Restart()
	},
}

func TestChaosAKillOfRedisLosesAndDoublesNothing(t *testing.T) { chaos(t, killOfRedis) }

// An instance is killed: whatever it has under way ends where it is, and what it has left
// undone the others do. A new one takes its place.
var killOfAnInstance = &schedule{
	fault: "kill of an instance", times: 5, between: 200,
	begin: threeCaddys,
	breaks: func(r *run) {
		all := r.all()
		r.abandon(all[r.random.IntN(len(all))])
		r.openAt(r.server.Addr())
	},
}

func TestChaosAKillOfAnInstanceLosesAndDoublesNothing(t *testing.T) { chaos(t, killOfAnInstance) }
