package kiosk

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Pulse is what this process has heard of one kiosk since it started. Other processes
// before the same ledger have heard other things.
type Pulse struct {
	Kiosk   string
	Seen    time.Time // its newest request
	Backlog int       // as in wire.State, which it sends every half minute
	Readers int
	Faulty  int // of the readers
}

// pulses are those of all kiosks, and the taps that wait for their end. They cost no read
// of the ledger, and so a scrape of metrics costs none.
type pulses struct {
	mu     sync.Mutex
	kiosks map[string]Pulse
	held   map[wallet.OpID]time.Time // until when
}

func (p *pulses) change(kiosk string, change func(*Pulse)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kiosks == nil {
		p.kiosks = make(map[string]Pulse)
	}
	one := p.kiosks[kiosk]
	one.Kiosk = kiosk
	change(&one)
	p.kiosks[kiosk] = one
}

func (p *pulses) seen(kiosk string, now time.Time) {
	p.change(kiosk, func(one *Pulse) { one.Seen = now })
}

func (p *pulses) reported(kiosk string, s wire.State) {
	p.change(kiosk, func(one *Pulse) {
		one.Backlog, one.Readers, one.Faulty = s.Backlog, len(s.Readers), 0
		for _, r := range s.Readers {
			if r.Fault != "" {
				one.Faulty++
			}
		}
	})
}

// stopped forgets a kiosk that the operator has disabled: nobody waits for it.
func (p *pulses) stopped(kiosk string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.kiosks, kiosk)
}

// sweepAt is how many held taps there are before those that are over are looked for, where
// nobody asks how many there are.
const sweepAt = 1000

func (p *pulses) holds(tap wallet.OpID, until, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held == nil {
		p.held = make(map[wallet.OpID]time.Time)
	}
	if len(p.held) >= sweepAt {
		p.sweep(now)
	}
	p.held[tap] = until
}

func (p *pulses) ended(tap wallet.OpID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.held, tap)
}

func (p *pulses) sweep(now time.Time) {
	for tap, until := range p.held {
		if !until.After(now) {
			delete(p.held, tap)
		}
	}
}

// Pulses are those of the kiosks that this process has heard of, by their names.
func (n *Notes) Pulses() []Pulse {
	n.pulses.mu.Lock()
	defer n.pulses.mu.Unlock()
	all := make([]Pulse, 0, len(n.pulses.kiosks))
	for _, one := range n.pulses.kiosks {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Pulse) int { return cmp.Compare(a.Kiosk, b.Kiosk) })
	return all
}

// Held is how many taps this process has granted whose money waits for a capture or a
// release. One that another process has ended counts until its hold is over.
func (n *Notes) Held(now time.Time) int {
	n.pulses.mu.Lock()
	defer n.pulses.mu.Unlock()
	n.pulses.sweep(now)
	return len(n.pulses.held)
}
