package redis

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// The tests that begin with TestChaos run clients against several ledgers on the same
// servers, as several Caddys do, break something meanwhile, and prove afterwards that
// nothing was lost and nothing done twice. PAYWALL_SEED draws the same again, though
// what was drawn may meet in another order; PAYWALL_CHAOS=1h repeats all of them with
// new seeds until the time is over.

// schedule is one way to break something.
type schedule struct {
	fault   string            // as the table calls it
	begin   func(r *run)      // starts the servers, and the ledgers with r.open
	breaks  func(r *run)      // breaks something and mends it, while the clients work
	times   int               // that it does
	between int               // operations that are answered before each, and after the last
	loses   bool              // what is not commutative: see run.prove
	draws   func(*client) any // what clients do; all kinds of things by default
	proves  func(r *run)      // what holds at the end; run.prove by default
}

// run is one run of a schedule.
type run struct {
	testing.TB
	schedule *schedule
	random   *rand.Rand // of the schedule's own goroutine
	begun    time.Time
	options  Options
	wallets  []wallet.WalletID

	// What a schedule has begun.
	server    *redistest.Server
	dropper   *redistest.Dropper
	proxies   []*redistest.Proxy
	sentinels *redistest.Sentinels
	cluster   *redistest.Cluster
	log       *logged
	clocks    []*jumping
	disk      *disk
	fast      []string // configuration of a server that syncs once a second

	tell func(op any, answer *wallet.Receipt) // of a child: before it asks, and when it is answered

	mu      sync.Mutex
	caddies []*caddy
	deeds   []*deed
	charges []wallet.Charge // some of the last
	holds   []wallet.Hold

	lastAnswer time.Duration // of any instance

	answers  atomic.Int64
	refusals atomic.Int64
	ended    atomic.Bool
	result   result
}

// result is a line of the table.
type result struct {
	operations, faults, lost, doubled int
	unanswered                        time.Duration // the longest that one ledger answered nobody
	slowest                           time.Duration // call, answered or refused
}

func (r result) String() string {
	return fmt.Sprintf("%d operations, %d faults, %d lost, %d doubled, at most %v without an answer, slowest call %v",
		r.operations, r.faults, r.lost, r.doubled, r.unanswered.Round(time.Millisecond), r.slowest.Round(time.Millisecond))
}

const (
	chaosWallets   = 6
	chaosShards    = 3
	chaosClients   = 12
	chaosResources = 4
	chaosFunds     = wallet.Amount(20_000) // little, so that wallets run short

	chaosPatience = 500 * time.Millisecond
	chaosTimeout  = 400 * time.Millisecond
)

// chaos runs a schedule with a seed of its own, or that of PAYWALL_SEED.
func chaos(t *testing.T, s *schedule) {
	t.Helper()
	t.Log(runSchedule(t, s, chaosSeed(t)))
}

func chaosSeed(t testing.TB) uint64 {
	t.Helper()
	given := os.Getenv("PAYWALL_SEED")
	if given == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(given, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

func runSchedule(t testing.TB, s *schedule, seed uint64) result {
	t.Helper()
	t.Logf("PAYWALL_SEED=%d", seed)
	r := &run{
		TB: t, schedule: s, random: rand.New(rand.NewPCG(seed, 0)), begun: time.Now(),
		options: Options{Shards: chaosShards, Patience: chaosPatience, Timeout: chaosTimeout},
	}
	s.begin(r)
	r.fillWallets()
	var clients sync.WaitGroup
	stop := sync.OnceFunc(func() { r.ended.Store(true); clients.Wait() })
	defer stop() // before the servers end, where the test has failed
	r.lastAnswer = r.since()
	for n := range chaosClients {
		clients.Go(func() { newClient(r, seed, n).work() })
	}
	for range s.times {
		r.until(s.between)
		s.breaks(r)
		r.result.faults++
		r.recovers()
	}
	r.until(s.between)
	stop()
	if s.proves != nil {
		s.proves(r)
	} else {
		r.prove()
	}
	r.result.operations = int(r.answers.Load())
	return r.result
}

// until waits until so many more operations are answered.
func (r *run) until(more int) {
	r.Helper()
	enough := r.answers.Load() + int64(more)
	r.eventually("the clients get answers", func() bool { return r.answers.Load() >= enough })
}

// untilRefused waits until so many more operations are refused.
func (r *run) untilRefused(more int) {
	r.Helper()
	enough := r.refusals.Load() + int64(more)
	r.eventually("the clients are refused", func() bool { return r.refusals.Load() >= enough })
}

// eventually waits for something that must become true.
func (r *run) eventually(what string, is func() bool) {
	r.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.Fatalf("%s: not after half a minute", what)
		}
	}
}

// since is the time since the run began.
func (r *run) since() time.Duration { return time.Since(r.begun) }
