package caddymodule

import (
	"net/netip"
	"sync"
	"time"
)

// The limits on what strangers may send, in one place.
const (
	maxBody = 64 << 10 // bytes of a request to /.paywall/*

	// Wrong codes from one address or one wallet. A code has 70 random bits,
	// so this is to keep guessing out of the log and the ledger's way.
	maxWrongCodes   = 10
	wrongCodePeriod = 15 * time.Minute

	// Wallets that one address may create. A wallet is free, and kept.
	maxNewWallets   = 2000
	newWalletPeriod = time.Hour

	maxTallies = 1 << 16 // addresses and wallets remembered by one limit
)

// limits counts what an address or a wallet does. It lives as long as its
// configuration: a reload forgives.
type limits struct {
	wrongCodes *tally
	newWallets *tally
}

func newLimits(now func() time.Time) *limits {
	return &limits{
		wrongCodes: newTally(maxWrongCodes, wrongCodePeriod, now),
		newWallets: newTally(maxNewWallets, newWalletPeriod, now),
	}
}

// tally counts events by key in fixed periods. It is safe for concurrent use,
// and its memory is bounded: when it is full of keys that are all still
// counting, new keys are refused until a period ends, because forgetting would
// be what a flood is for.
type tally struct {
	most   int
	period time.Duration
	now    func() time.Time

	mu     sync.Mutex
	counts map[string]count
	full   time.Time // until then no period ends, so that there is no room to make
}

type count struct {
	events int
	ends   time.Time
}

func newTally(most int, period time.Duration, now func() time.Time) *tally {
	return &tally{most: most, period: period, now: now, counts: make(map[string]count)}
}

// spent reports whether key has used up its events, and when it may go on.
func (t *tally) spent(key string) (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	c, known := t.counts[key]
	if known && now.Before(c.ends) {
		return c.ends.Sub(now), c.events >= t.most
	}
	return t.period, !known && len(t.counts) >= maxTallies && !t.makeRoom(now)
}

// add counts one event of key.
func (t *tally) add(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	c, known := t.counts[key]
	if !known && len(t.counts) >= maxTallies && !t.makeRoom(now) {
		return
	}
	if !known || !now.Before(c.ends) {
		c = count{ends: now.Add(t.period)}
	}
	c.events++
	t.counts[key] = c
}

// makeRoom forgets the keys whose period is over. It looks for them only when
// there is one: a flood of new keys would otherwise have every request go
// through all that are known.
func (t *tally) makeRoom(now time.Time) bool {
	if now.Before(t.full) {
		return false
	}
	t.full = now.Add(t.period)
	for key, c := range t.counts {
		if !now.Before(c.ends) {
			delete(t.counts, key)
		} else if c.ends.Before(t.full) {
			t.full = c.ends
		}
	}
	return len(t.counts) < maxTallies
}

// addressKey is what an address is counted by. One IPv6 subscriber has a /64
// at least, so all of it counts as one.
func addressKey(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64)
	return prefix.String()
}
