package kiosk

import (
	"cmp"
	"slices"
	"sync"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Note is what became of a tap, for the operator: without the card and the wallet.
type Note struct {
	Time    int64  `json:"t"` // milliseconds since 1970
	Product string `json:"p"`
	Outcome string `json:"o"` // granted, captured, released, unknown, or the reason of a refusal
}

const mostNotes = 12 // of a kiosk

// Notes are the last taps of each kiosk that its register does not have yet: they are
// written down with its next request, so that a tap costs no write more. Beside them are
// the Pulses. The zero Notes are empty; they are safe for concurrent use.
type Notes struct {
	mu  sync.Mutex
	new map[string][]Note

	pulses pulses
}

func (n *Notes) add(kiosk string, note Note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.new == nil {
		n.new = make(map[string][]Note)
	}
	n.new[kiosk] = last(append(n.new[kiosk], note))
}

// with puts the new notes of a kiosk behind those that its register has, and says how many
// are new.
func (n *Notes) with(kiosk string, old []Note) (all []Note, fresh int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return last(append(old, n.new[kiosk]...)), len(n.new[kiosk])
}

// written forgets the first of the new notes: the register has them.
func (n *Notes) written(kiosk string, count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.new[kiosk] = n.new[kiosk][min(count, len(n.new[kiosk])):]
	if len(n.new[kiosk]) == 0 {
		delete(n.new, kiosk)
	}
}

func last(notes []Note) []Note {
	return slices.Clone(notes[max(0, len(notes)-mostNotes):])
}

func (c *Cashier) note(k Kiosk, product, outcome string) {
	c.Notes.add(k.Name, Note{Time: c.Now().UnixMilli(), Product: product, Outcome: outcome})
}

// noteEnd notes what something granted has come to.
func (c *Cashier) noteEnd(k Kiosk, product, outcome string) {
	c.note(k, product, outcome)
	if c.Ended != nil {
		c.Ended(outcome)
	}
}

func sortProducts(all []wire.Product) {
	slices.SortFunc(all, func(a, b wire.Product) int { return cmp.Compare(a.Name, b.Name) })
}
