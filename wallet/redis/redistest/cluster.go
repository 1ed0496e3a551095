package redistest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Cluster is a Redis Cluster whose nodes are the test's. Its methods fail the
// test the cluster was started for.
type Cluster struct {
	// Nodes are all nodes: those that began as masters first, then their
	// replicas, those of the first master first.
	Nodes []*Server

	t   testing.TB
	ids []string // of the nodes, in the same order
}

// clusterSlots is the number of slots of every Redis Cluster.
const clusterSlots = 16384

// StartCluster runs a cluster of so many masters with so many replicas each, and
// returns when every node takes requests. The masters share the slots evenly, in
// order. A node that is gone is noticed after two seconds.
func StartCluster(t testing.TB, masters, replicas int, config ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	var buses []int
	for range masters * (1 + replicas) {
		bus := freePort(t)
		buses = append(buses, bus)
		node := Start(t, append([]string{
			"cluster-enabled yes",
			"cluster-node-timeout 2000",
			fmt.Sprintf("cluster-port %d", bus),
		}, replicated(config)...)...)
		c.Nodes = append(c.Nodes, node)
		c.ids = append(c.ids, fmt.Sprint(c.must(node, "CLUSTER", "MYID")))
	}
	for i, node := range c.Nodes {
		// Without an epoch of its own, two masters would quarrel about their slots.
		c.must(node, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		if i < masters {
			c.must(node, "CLUSTER", "ADDSLOTSRANGE", clusterSlots*i/masters, clusterSlots*(i+1)/masters-1)
		}
	}
	c.meet(buses)
	for i, node := range c.Nodes[masters:] {
		c.must(node, "CLUSTER", "REPLICATE", c.ids[i/replicas])
	}
	for i, node := range c.Nodes[masters:] {
		master := c.Nodes[i/replicas]
		eventually(t, "a replica has its master's data", func() error {
			return errors.Join(replicates(node, master), reaches(master, replicas))
		})
	}
	c.WaitUntilOK()
	return c
}

// meet introduces all nodes to each other. It leaves nothing to gossip, which
// would take seconds.
func (c *Cluster) meet(buses []int) {
	c.t.Helper()
	for i, node := range c.Nodes {
		for j, other := range c.Nodes[:i] {
			c.must(node, "CLUSTER", "MEET", loopback, other.port, buses[j])
		}
	}
	for _, node := range c.Nodes {
		eventually(c.t, "a node of the cluster knows the others", func() error {
			for _, id := range c.ids {
				// An unknown id is an error; the answer itself does not matter.
				if _, err := node.Do("CLUSTER", "COUNT-FAILURE-REPORTS", id); err != nil {
					return fmt.Errorf("%s about %s: %w", node.addr, id, err)
				}
			}
			return nil
		})
	}
}

// Addrs are the addresses of all nodes.
func (c *Cluster) Addrs() (addrs []string) {
	for _, node := range c.Nodes {
		addrs = append(addrs, node.addr)
	}
	return addrs
}

// WaitUntilOK returns when all nodes that run take requests for all slots and
// agree on who has which, the owner of each runs, and the replicas follow.
func (c *Cluster) WaitUntilOK() {
	c.t.Helper()
	eventually(c.t, "the cluster is ok", func() error {
		var agreed []*Server
		for _, node := range c.running() {
			if err := isOK(node); err != nil {
				return err
			}
			owners, err := c.owners(node)
			if err != nil {
				return err
			}
			if agreed == nil {
				agreed = owners
			}
			if !slices.Equal(owners, agreed) {
				return fmt.Errorf("%s does not agree with the others on who has which slot", node.addr)
			}
		}
		for slot, owner := range agreed {
			if owner == nil || owner.Pid() == 0 {
				return fmt.Errorf("slot %d has no owner that runs", slot)
			}
		}
		return nil
	})
}

func isOK(node *Server) error {
	text, err := node.client.ClusterInfo(context.Background()).Result()
	if err != nil {
		return err
	}
	for _, want := range []string{"cluster_state:ok", fmt.Sprintf("cluster_slots_ok:%d", clusterSlots)} {
		if !strings.Contains(text, want+"\r\n") {
			return fmt.Errorf("%s does not say %s", node.addr, want)
		}
	}
	return settled(node)
}

// owners are the masters of all slots, in the eyes of a node.
func (c *Cluster) owners(node *Server) ([]*Server, error) {
	//nolint:staticcheck // it is what clients ask, and a test waits for what they see
	ranges, err := node.client.ClusterSlots(context.Background()).Result()
	if err != nil {
		return nil, err
	}
	owners := make([]*Server, clusterSlots)
	for _, r := range ranges {
		if len(r.Nodes) == 0 {
			continue
		}
		owner := c.node(r.Nodes[0])
		for slot := r.Start; slot <= r.End; slot++ {
			owners[slot] = owner
		}
	}
	return owners, nil
}

// node is known by its id: its address may be announced as that of a proxy.
func (c *Cluster) node(n redis.ClusterNode) *Server {
	if i := slices.Index(c.ids, n.ID); i >= 0 {
		return c.Nodes[i]
	}
	return nil
}

func (c *Cluster) running() (nodes []*Server) {
	for _, node := range c.Nodes {
		if node.Pid() != 0 {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// id is what a node is called in the cluster.
func (c *Cluster) id(node *Server) string {
	c.t.Helper()
	i := slices.Index(c.Nodes, node)
	if i < 0 {
		c.t.Fatalf("the server at %s is no node of the cluster", node.addr)
	}
	return c.ids[i]
}

// must sends a command that has to succeed.
func (c *Cluster) must(node *Server, args ...any) any {
	c.t.Helper()
	answer, err := node.Do(args...)
	if err != nil {
		c.t.Fatalf("%v at %s: %v", args, node.addr, err)
	}
	return answer
}
