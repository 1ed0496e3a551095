package history

import (
	"sync"
	"time"
)

// clock stands where the replay puts it, and goes on with another clock when the
// replay is over. It is safe for concurrent use.
type clock struct {
	mu    sync.Mutex
	stood time.Time
	after func() time.Time // nil: it stands
}

// now is the clock for the target.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.after != nil {
		if t := c.after(); t.After(c.stood) {
			return t
		}
	}
	return c.stood
}

// set puts the clock to a time, which may be earlier: the source's was, too.
func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stood = t
}

// follow lets the clock go with another one. It does not fall behind the last
// deed: the source's clock may be a little ahead of this machine's.
func (c *clock) follow(after func() time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.after = after
}
