package main_test

import (
	cryptorand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	spenders       = 4
	spendersAtOnce = 4   // requests under way of one spender
	pagesEachRound = 120 // that a spender can buy, before they are all free
	vouchersEach   = 3   // for a spender and round: less than it could spend
	longestRound   = 500 * time.Millisecond
	leastEntries   = 200 // of a run
)

// press sells articles at ten cents and letters in tens, all of them short.
func press(port, admin string) string {
	return fmt.Sprintf(`{
	admin %s
	persist_config off
	log {
		level ERROR
	}
}
http://localhost:%s {
	bind 127.0.0.1
	paywall /articles/* 0.10
	paywall /research/* {
		bundle 10 1.00
	}
	respond "PAGE {path}"
}
`, admin, port)
}

// The server is killed while wallets spend, at instants that nobody chooses,
// and its journal is torn as a crash tears it. Whatever was acknowledged is
// there afterwards, once (invariants 3 to 7).
func TestWhatWasAcknowledgedSurvivesKill9(t *testing.T) {
	seed := killSeed(t)
	random := rand.New(rand.NewPCG(seed, 0))
	site := newServer(t, press)
	site.start()
	wallets := make([]*spender, spenders)
	for i := range wallets {
		wallets[i] = newSpender(site)
	}
	for round := range 2 * len(tears) {
		tear := tears[round%len(tears)]
		site.spendUntilKilled(wallets, random, (round+1)*pagesEachRound)
		tear.tear(site.journal(), random)
		if random.IntN(2) == 0 { // recovery is killed as well
			site.launch()
			time.Sleep(time.Duration(random.Int64N(int64(100 * time.Millisecond))))
			site.kill()
		}
		site.start()
		found := site.verify()
		for _, p := range wallets {
			p.resolve()
			p.compare(p.history())
		}
		if t.Failed() {
			t.Fatalf("in round %d, %s", round, tear.name)
		}
		t.Logf("round %d, %s: %d entries, %s in wallets", round, tear.name, found.Entries, found.Available)
	}
	for _, p := range wallets {
		p.readAgain()
		p.compare(p.history())
	}
	if found := site.verify(); found.Entries < leastEntries {
		t.Errorf("only %d entries were made, so little was proved", found.Entries)
	}
}

// killSeed is of the choices that this run makes; the instants of the kills are
// the machine's.
func killSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PAYWALL_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("PAYWALL_SEED: %v", err)
		}
	}
	t.Logf("PAYWALL_SEED=%d", seed)
	return seed
}

// spendUntilKilled lets every wallet spend on pages, from several connections,
// and kills the server under it.
func (s *server) spendUntilKilled(wallets []*spender, random *rand.Rand, pages int) {
	s.Helper()
	codes := s.vouchers("6.00", len(wallets)*vouchersEach)
	var done sync.WaitGroup
	for i, p := range wallets {
		p.unspent = append(p.unspent, codes[i*vouchersEach:(i+1)*vouchersEach]...)
		for range spendersAtOnce {
			own := rand.New(rand.NewPCG(random.Uint64(), 1))
			done.Go(func() { p.spend(own, s.newID, pages) })
		}
	}
	time.Sleep(time.Duration(random.Int64N(int64(longestRound))))
	s.kill()
	done.Wait()
}

// newID draws the id of an operation.
func (s *server) newID() string {
	id, err := wallet.NewOpID(time.Now(), cryptorand.Reader)
	if err != nil {
		s.Error(err)
	}
	return id.String()
}
