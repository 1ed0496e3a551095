package redistest

import (
	"errors"
	"testing"
)

// KeySlot is the slot of a key.
func (c *Cluster) KeySlot(key string) int {
	c.t.Helper()
	return int(c.must(c.anyNode(), "CLUSTER", "KEYSLOT", key).(int64))
}

// OwnerOf is the master that has a slot.
func (c *Cluster) OwnerOf(slot int) *Server {
	c.t.Helper()
	owners, err := c.owners(c.anyNode())
	if err != nil {
		c.t.Fatalf("the owner of slot %d: %v", slot, err)
	}
	if owners[slot] == nil {
		c.t.Fatalf("slot %d has no owner", slot)
	}
	return owners[slot]
}

func (c *Cluster) anyNode() *Server {
	c.t.Helper()
	nodes := c.running()
	if len(nodes) == 0 {
		c.t.Fatal("no node of the cluster runs")
	}
	return nodes[0]
}

// MoveSlot moves a slot with its keys from one master to another, while both
// serve it.
func (c *Cluster) MoveSlot(t testing.TB, slot int, from, to *Server) {
	t.Helper()
	m := c.BeginMove(t, slot, from, to)
	for m.MoveKeys(100) > 0 {
	}
	m.Finish()
}

// Move is a slot on its way. Until it is finished, the master that has it sends
// clients on for keys that have left (ASK), and the other one serves them; a
// command on keys of which some have left is refused (TRYAGAIN).
type Move struct {
	c        *Cluster
	t        testing.TB
	slot     int
	from, to *Server
}

// BeginMove prepares both masters. All keys are still where they were.
func (c *Cluster) BeginMove(t testing.TB, slot int, from, to *Server) *Move {
	t.Helper()
	m := &Move{c, t, slot, from, to}
	m.must(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", c.id(from))
	m.must(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", c.id(to))
	return m
}

// MoveKeys moves some keys, at most so many, and returns how many.
func (m *Move) MoveKeys(atMost int) int {
	m.t.Helper()
	keys := m.must(m.from, "CLUSTER", "GETKEYSINSLOT", m.slot, atMost).([]any)
	if len(keys) == 0 {
		return 0
	}
	const within = 10_000 // milliseconds
	migrate := []any{"MIGRATE", loopback, m.to.port, "", 0, within}
	if m.to.password != "" {
		migrate = append(migrate, "AUTH", m.to.password)
	}
	m.must(m.from, append(append(migrate, "KEYS"), keys...)...)
	return len(keys)
}

// Finish gives the slot to its new owner, which must have all keys, and returns
// when every node knows.
func (m *Move) Finish() {
	m.t.Helper()
	// The new owner is told first: if the old one knew before it, the slot would
	// for a moment be nobody's.
	m.must(m.to, "CLUSTER", "SETSLOT", m.slot, "NODE", m.c.id(m.to))
	m.must(m.from, "CLUSTER", "SETSLOT", m.slot, "NODE", m.c.id(m.to))
	eventually(m.t, "every node knows who has the slot", func() error {
		for _, node := range m.c.running() {
			owners, err := m.c.owners(node)
			if err != nil {
				return err
			}
			if owners[m.slot] != m.to {
				return errors.New(node.addr + " does not")
			}
		}
		return nil
	})
}

func (m *Move) must(node *Server, args ...any) any {
	m.t.Helper()
	answer, err := node.Do(args...)
	if err != nil {
		m.t.Fatalf("moving slot %d: %v at %s: %v", m.slot, args[:2], node.addr, err)
	}
	return answer
}
