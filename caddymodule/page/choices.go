package page

import (
	"strings"
	"sync"
)

const (
	maxChoices = 1 << 10 // values remembered
	maxChoice  = 128     // bytes of one; browsers send less
)

// choices remembers which language was chosen for a value of Accept-Language,
// because matching one costs more than making the page, and browsers send but a
// few hundred different ones. What is remembered is bounded: when there is no
// room it is forgotten as a whole, so that somebody who sends a new value each
// time makes the pages as dear as they are without it, and no dearer.
//
// It is safe for concurrent use.
type choices struct {
	mu     sync.RWMutex
	chosen map[string]string
}

// of is what choose answers for a value.
func (c *choices) of(value string, choose func(string) string) string {
	if len(value) > maxChoice {
		return choose(value)
	}
	c.mu.RLock()
	tag, known := c.chosen[value]
	c.mu.RUnlock()
	if known {
		return tag
	}
	tag = choose(value)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chosen == nil || len(c.chosen) >= maxChoices {
		c.chosen = make(map[string]string)
	}
	c.chosen[strings.Clone(value)] = tag // cloned: it may be a part of a whole header
	return tag
}
