package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// Something is wrong with the network between one Caddy and Redis, and the others go on.
// What was sent may have been carried out or not, and what was answered may be lost
// (invariants 3, 6).
var network = &schedule{
	fault: "network: cut, reset, half-open, late", times: 4, between: 150,
	begin: func(r *run) {
		r.server = redistest.Start(r)
		for range 3 {
			p := redistest.NewProxy(r, r.server.Addr())
			r.proxies = append(r.proxies, p)
			r.openAt(p.Addr())
		}
	},
	breaks: func(r *run) {
		p := r.proxies[r.random.IntN(len(r.proxies))]
		switch r.result.faults % 4 {
		case 0:
			p.Cut()
			r.untilRefused(20)
		case 1:
			p.Reset()
			r.untilRefused(20)
		case 2:
			p.HalfOpen()
			r.untilRefused(5)
		case 3:
			p.Delay(20*time.Millisecond, 20*time.Millisecond)
			r.until(200)
		}
		p.Heal()
	},
}

func TestChaosANetworkThatFailsLosesAndDoublesNothing(t *testing.T) { chaos(t, network) }

// The network is gone for all at once.
var partition = &schedule{
	fault: "network: all Caddys cut off", times: 2, between: 400,
	begin: network.begin,
	breaks: func(r *run) {
		for _, p := range r.proxies {
			if r.result.faults%2 == 0 {
				p.HalfOpen()
			} else {
				p.Cut()
			}
		}
		r.untilRefused(50)
		for _, p := range r.proxies {
			p.Heal()
		}
	},
}

func TestChaosAPartitionLosesAndDoublesNothing(t *testing.T) { chaos(t, partition) }

// Behind a server that does not answer requests do not pile up: once one has waited in
// vain, all others are refused at once, and when it answers again so are they.
func TestChaosRequestsDoNotPileUpBeforeAServerThatIsSilent(t *testing.T) {
	r := &run{TB: t, random: rand.New(rand.NewPCG(1, 0)), begun: time.Now()}
	r.options = Options{Shards: 1, Patience: chaosPatience, Timeout: chaosTimeout}
	proxy := redistest.NewProxy(t, redistest.Start(t).Addr())
	r.openAt(proxy.Addr())
	r.fillWallets()
	l := r.all()[0].ledger
	proxy.HalfOpen()
	if _, err := l.Wallet(context.Background(), r.wallets[0]); !errors.Is(err, wallet.ErrUnavailable) {
		t.Fatalf("a server that is silent answers %v", err)
	}
	before := runtime.NumGoroutine()
	const requests = 3000
	var waiting sync.WaitGroup
	var mu sync.Mutex
	late := 0
	begun := time.Now()
	for range requests {
		waiting.Go(func() {
			called := time.Now()
			_, err := l.Wallet(context.Background(), r.wallets[0])
			if err == nil {
				t.Error("a server that is silent has answered")
			}
			if time.Since(called) > chaosPatience/2 {
				mu.Lock()
				late++
				mu.Unlock()
			}
		})
	}
	waiting.Wait()
	// One request tries anew now and then.
	if most := 2 + int(time.Since(begun)/retryEvery); late > most {
		t.Errorf("%d of %d requests have waited, at most %d should", late, requests, most)
	}
	if after := runtime.NumGoroutine(); after > before+20 {
		t.Errorf("%d goroutines are left behind", after-before)
	}
	proxy.Heal()
	healed := time.Now()
	r.recovers()
	if took := time.Since(healed); took > chaosPatience+chaosTimeout+2*retryEvery+time.Second {
		t.Errorf("after the network is well again it took %v until there was an answer", took)
	}
	t.Logf("%d requests, of which %d waited; answers again after %v", requests, late, time.Since(healed))
}
