package local

import (
	"bytes"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// hold is money set aside.
type hold struct {
	id       wallet.OpID
	wallet   uint32
	resolved bool
	amount   wallet.Amount
	until    int64
}

// holds are those that are open, and those resolved until holdMemory after
// their end, so that a late Capture hears Spent.
type holds struct {
	list  arena[hold]
	free  []uint32 // indexes to use again
	byID  map[wallet.OpID]uint32
	due   []uint32 // a heap of those whose end has not been seen: the next to end is first
	ended []uint32 // those resolved whose end has been seen, in order of it
}

const holdMemory = int64(wallet.ChargeMemory / time.Millisecond)

func newHolds() holds { return holds{byID: make(map[wallet.OpID]uint32)} }

// find returns a hold, or nil where it is not known.
func (h *holds) find(id wallet.OpID) *hold {
	i, found := h.byID[id]
	if !found {
		return nil
	}
	return h.list.at(i)
}

func (h *holds) add(item hold) {
	var i uint32
	if n := len(h.free); n > 0 {
		i = h.free[n-1]
		h.free = h.free[:n-1]
		*h.list.at(i) = item
	} else {
		i = h.list.add(item)
	}
	h.byID[item.id] = i
	h.push(i)
}

// sum is the money in all open holds.
func (h *holds) sum() (sum wallet.Amount) {
	for i := range h.list.length {
		if item := h.list.at(i); !item.resolved {
			sum += item.amount
		}
	}
	return sum
}

// expired returns the next open hold whose end has come, or nil. Holds expire by
// end and then by id.
func (h *holds) expired(now int64) *hold {
	for len(h.due) > 0 {
		first := h.list.at(h.due[0])
		if first.until > now {
			return nil
		}
		if !first.resolved {
			return first
		}
		h.ended = append(h.ended, h.pop())
	}
	return nil
}

// forget drops the holds that ended longer ago than holdMemory.
func (h *holds) forget(now int64) {
	h.expired(now)
	gone := 0
	for gone < len(h.ended) && now-h.list.at(h.ended[gone]).until > holdMemory {
		delete(h.byID, h.list.at(h.ended[gone]).id)
		gone++
	}
	h.free = append(h.free, h.ended[:gone]...)
	h.ended = slices.Delete(h.ended, 0, gone)
}

// before is the order of the heap.
func (h *holds) before(i, j int) bool {
	a, b := h.list.at(h.due[i]), h.list.at(h.due[j])
	if a.until != b.until {
		return a.until < b.until
	}
	return bytes.Compare(a.id[:], b.id[:]) < 0
}

func (h *holds) push(index uint32) {
	h.due = append(h.due, index)
	for i := len(h.due) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h.before(i, parent) {
			return
		}
		h.due[i], h.due[parent] = h.due[parent], h.due[i]
		i = parent
	}
}

func (h *holds) pop() uint32 {
	first, last := h.due[0], len(h.due)-1
	h.due[0] = h.due[last]
	h.due = h.due[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if h.before(child, least) {
				least = child
			}
		}
		if least == i {
			return first
		}
		h.due[i], h.due[least] = h.due[least], h.due[i]
		i = least
	}
}
