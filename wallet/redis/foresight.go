package redis

import (
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// foresight is what this process has heard of wallets lately. It decides nothing about
// money. Whoever is about to charge a wallet has to know first whether that is worth
// beginning, and then the charge itself judges; to ask the servers for both would double
// what a page view costs them. Where what was heard is no longer so, the charge says so,
// and what was heard is forgotten.
//
// It has a fixed size, holds no pointers, and is safe for concurrent use.
type foresight struct {
	sets [foresightSets]foresightSet
	read [recentlyRead]recent
}

const (
	foresightSets = 1 << 15
	foresightWays = 4
	foresightFor  = time.Minute
	recentlyRead  = 1 << 12
)

type foresightSet struct {
	mu    sync.Mutex
	known [foresightWays]foreseen
}

// foreseen is a wallet that could spend when it was last heard of.
type foreseen struct {
	wallet     wallet.WalletID
	generation uint32
	heard      uint32 // seconds since began
	available  wallet.Amount
}

// recent is pages that were paid for lately: whoever reads one again is to be told that
// it is.
type recent struct {
	mu    sync.Mutex
	pages [16]uint64
	next  uint8
}

// began is what the foresight's times are counted from.
var began = time.Now()

func pageOf(id wallet.WalletID, resource string) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(id[:])
	_, _ = d.WriteString(resource)
	return d.Sum64()
}

func (f *foresight) set(id wallet.WalletID) *foresightSet {
	return &f.sets[xxhash.Sum64(id[:])%foresightSets]
}

// learn notes what a wallet has, and with which credential.
func (f *foresight) learn(id wallet.WalletID, generation uint32, available wallet.Amount) {
	now := uint32(time.Since(began) / time.Second)
	s := f.set(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := &s.known[0]
	for i := range s.known {
		k := &s.known[i]
		if k.wallet == id {
			oldest = k
			break
		}
		if k.heard < oldest.heard {
			oldest = k
		}
	}
	*oldest = foreseen{wallet: id, generation: generation, heard: now, available: available}
}

// forget drops a wallet of which something else was heard.
func (f *foresight) forget(id wallet.WalletID) {
	s := f.set(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.known {
		if s.known[i].wallet == id {
			s.known[i] = foreseen{}
		}
	}
}

func (f *foresight) find(id wallet.WalletID, generation uint32) (available wallet.Amount, found bool) {
	now := uint32(time.Since(began) / time.Second)
	s := f.set(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.known {
		if k := &s.known[i]; k.wallet == id && k.generation == generation && now-k.heard <= uint32(foresightFor/time.Second) {
			return k.available, k.available > 0
		}
	}
	return 0, false
}

// paid notes that a wallet has paid for a page, and wasPaid whether it has lately.
func (f *foresight) paid(page uint64) {
	r := &f.read[page%recentlyRead]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pages[r.next%uint8(len(r.pages))] = page
	r.next++
}

func (f *foresight) wasPaid(page uint64) bool {
	r := &f.read[page%recentlyRead]
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.pages {
		if p == page {
			return true
		}
	}
	return false
}

// hear takes note of the receipt of a charge.
func (f *foresight) hear(c *wallet.Charge, r *wallet.Receipt) {
	switch r.Outcome {
	case wallet.Applied:
		f.learn(c.Wallet, c.Generation, r.Balance)
		f.paid(pageOf(c.Wallet, c.Resource))
	case wallet.Granted:
		f.paid(pageOf(c.Wallet, c.Resource))
	default:
		f.forget(c.Wallet)
	}
}

// Foresee guesses a standing, without asking, from what this process has heard of the
// wallet within the last minute. It reports false where it has heard nothing, or where
// the wallet could not spend, or has paid for the resource. The guess knows of no pass
// and of no grant, and may be out of date in any way: it is for callers who go on to
// Charge, which judges.
func (l *Ledger) Foresee(q wallet.StandingQuery) (wallet.Standing, bool) {
	available, found := l.foresight.find(q.Wallet, q.Generation)
	if !found || l.foresight.wasPaid(pageOf(q.Wallet, q.Resource)) {
		return wallet.Standing{}, false
	}
	return wallet.Standing{Credential: wallet.Applied, Available: available}, true
}
