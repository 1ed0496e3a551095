package redistest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"
)

// clusterClient follows the cluster's redirections as a user's client does.
func clusterClient(t *testing.T, c *Cluster) *redis.ClusterClient {
	t.Helper()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs()})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestAClusterTakesKeysOfEveryMasterAndMovesASlotWithItsKeys(t *testing.T) {
	t.Parallel()
	c := StartCluster(t, 3, 0)
	client := clusterClient(t, c)
	var owners []*Server
	for i := range 50 {
		key := fmt.Sprintf("{wallet}%d", i)
		if err := client.Set(t.Context(), key, i, 0).Err(); err != nil {
			t.Fatal(err)
		}
		other := fmt.Sprint("site", i)
		if err := client.Set(t.Context(), other, i, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if owner := c.OwnerOf(c.KeySlot(other)); !slices.Contains(owners, owner) {
			owners = append(owners, owner)
		}
	}
	if len(owners) != 3 {
		t.Errorf("the keys are on %d masters", len(owners))
	}
	slot := c.KeySlot("{wallet}0")
	from := c.OwnerOf(slot)
	to := c.Nodes[(slices.Index(c.Nodes, from)+1)%3]
	c.MoveSlot(t, slot, from, to)
	if got := c.OwnerOf(slot); got != to {
		t.Errorf("slot %d is at %s, want %s", slot, got.Addr(), to.Addr())
	}
	if got := ask(t, to, "CLUSTER", "COUNTKEYSINSLOT", slot); got != int64(50) {
		t.Errorf("its new owner has %v keys, want 50", got)
	}
	if got := client.Get(t.Context(), "{wallet}49").Val(); got != "49" {
		t.Errorf("the cluster answers %q after the move", got)
	}
	c.WaitUntilOK()
}

func TestASlotOnItsWayIsServedByBothMasters(t *testing.T) {
	t.Parallel()
	c := StartCluster(t, 2, 0, "requirepass secret")
	from, to := c.Nodes[0], c.Nodes[1]
	slot := c.KeySlot("{a}1")
	if c.OwnerOf(slot) != from {
		from, to = to, from
	}
	ask(t, from, "MSET", "{a}1", "one", "{a}2", "two")
	m := c.BeginMove(t, slot, from, to)
	if n := m.MoveKeys(1); n != 1 {
		t.Fatalf("%d keys were moved", n)
	}
	if answer, err := from.Do("MGET", "{a}1", "{a}2"); err == nil {
		t.Errorf("keys on two masters were answered: %v", answer)
	} else if !redis.IsTryAgainError(err) {
		t.Errorf("keys on two masters: %v", err)
	}
	m.MoveKeys(10)
	if _, err := from.Do("GET", "{a}1"); err == nil {
		t.Error("the key is still where it was")
	} else if addr, asks := redis.IsAskError(err); !asks || addr != to.Addr() {
		t.Errorf("a key that has left: %v", err)
	}
	m.Finish()
	if got := ask(t, to, "MGET", "{a}1", "{a}2"); fmt.Sprint(got) != "[one two]" {
		t.Errorf("the new owner has %v", got)
	}
}

func TestAReplicaTakesOverTheSlotsOfAKilledMaster(t *testing.T) {
	t.Parallel()
	c := StartCluster(t, 3, 1)
	slot := c.KeySlot("wallet")
	master := c.OwnerOf(slot)
	replica := c.Nodes[3+slices.Index(c.Nodes, master)]
	ask(t, master, "SET", "wallet", "12.00")
	if err := master.Client().Wait(context.Background(), 1, patience).Err(); err != nil {
		t.Fatal(err)
	}
	master.Kill()
	c.WaitUntilOK()
	if got := c.OwnerOf(slot); got != replica {
		t.Errorf("slot %d is at %s, want %s", slot, got.Addr(), replica.Addr())
	}
	if got := ask(t, replica, "GET", "wallet"); got != "12.00" {
		t.Errorf("the replica has %v", got)
	}
	master.Restart()
	c.WaitUntilOK()
	if got := c.OwnerOf(slot); got != replica {
		t.Errorf("once its old owner is back, slot %d is at %s, want %s", slot, got.Addr(), replica.Addr())
	}
}
