package caddymodule

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// redisFault is what goes wrong with a Redis, and how it ends.
type redisFault struct {
	begin, end func(t *testing.T, server *redistest.Server, proxy *redistest.Proxy)
	reads      bool // what is paid for can be asked for all the same
	late       bool // what was asked for may take effect when it ends
}

func command(args ...any) func(*testing.T, *redistest.Server, *redistest.Proxy) {
	return func(t *testing.T, server *redistest.Server, _ *redistest.Proxy) {
		t.Helper()
		if _, err := server.Do(args...); err != nil {
			t.Fatal(err)
		}
	}
}

var redisFaults = map[string]redisFault{
	"killed": {
		begin: func(_ *testing.T, s *redistest.Server, _ *redistest.Proxy) { s.Kill() },
		end:   func(_ *testing.T, s *redistest.Server, _ *redistest.Proxy) { s.Restart() },
	},
	"paused": {
		begin: func(_ *testing.T, s *redistest.Server, _ *redistest.Proxy) { s.Pause() },
		end:   func(_ *testing.T, s *redistest.Server, _ *redistest.Proxy) { s.Resume() },
		late:  true,
	},
	"cut off": {
		begin: func(_ *testing.T, _ *redistest.Server, p *redistest.Proxy) { p.Cut() },
		end:   func(_ *testing.T, _ *redistest.Server, p *redistest.Proxy) { p.Heal() },
	},
	"silent": {
		begin: func(_ *testing.T, _ *redistest.Server, p *redistest.Proxy) { p.HalfOpen() },
		end:   func(_ *testing.T, _ *redistest.Server, p *redistest.Proxy) { p.Heal() },
	},
	"full": {
		begin: command("CONFIG", "SET", "maxmemory", "1"),
		end:   command("CONFIG", "SET", "maxmemory", "0"),
		reads: true,
	},
	"a replica": {
		begin: command("REPLICAOF", "127.0.0.1", "1"),
		end:   command("REPLICAOF", "NO", "ONE"),
		reads: true,
	},
	"refusing a client": {
		begin: func(t *testing.T, s *redistest.Server, _ *redistest.Proxy) {
			command("CONFIG", "SET", "requirepass", "hunter2")(t, s, nil)
			command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")(t, s, nil)
		},
		end: func(t *testing.T, s *redistest.Server, _ *redistest.Proxy) {
			if _, err := s.Do("AUTH", "hunter2"); err != nil {
				t.Fatal(err)
			}
			command("CONFIG", "SET", "requirepass", "")(t, s, nil)
		},
	},
}

// Whatever happens to Redis, nothing leaves that is not paid for, nobody is asked to
// pay twice, and nobody waits for long; what is paid for can be read, and everything
// goes on by itself (invariants 3, 4 and 6).
func TestARedisThatCannotBeAskedComesBackByItself(t *testing.T) {
	for name, fault := range redisFaults {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			proxy := redistest.NewProxy(t, server.Addr())
			s := startLogged(t, onRedis(proxy.Addr()), magazine)
			m, other := s.machine("1.00"), s.machine("1.00")
			m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
			reader := s.readerOf("/articles/3")
			s.wantsUp("1")
			takeLog()
			fault.begin(t, server, proxy)
			m.wantsDown("/articles/2")
			s.wantsUp("0")
			s.wantsAtOnce(m, other)
			reader.get("/articles/3").wants(http.StatusOK).says("SECRET").wantsHeader("Paywall-Charged", "")
			if fault.reads {
				m.get("/articles/1").wants(http.StatusOK).says("SECRET").wantsHeader("Paywall-Charged", "")
			}
			fault.end(t, server, proxy)
			if fault.late {
				other.wantsBack("/articles/3", "0.10 USD")
				m.get("/articles/2").wants(http.StatusOK).says("SECRET")
			} else {
				m.wantsBack("/articles/2", "0.10 USD")
			}
			m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
			m.wantsBalance("0.80") // the page costs what it costs, whoever was told
			s.wantsUp("1")
			wantsLogged(t, "cannot be used", "answers again")
		})
	}
}

// wantsAtOnce wants nearly everybody told at once that the ledger is down. Now and
// then somebody tries whether it is back.
func (s *site) wantsAtOnce(visitors ...*visitor) {
	s.Helper()
	const asked = 20
	quick := 0
	for i := range asked {
		began := time.Now()
		visitors[i%len(visitors)].get("/articles/2").wants(http.StatusServiceUnavailable).
			wantsHeader("Retry-After", "5").wantsHeader("Cache-Control", "no-store").saysNot("SECRET")
		if took := time.Since(began); took < 100*time.Millisecond {
			quick++
		} else if took >= settleTimeout {
			s.Errorf("a 503 took %v", took)
		}
	}
	if quick < asked-5 {
		s.Errorf("only %d of %d are told at once that the ledger is down", quick, asked)
	}
}

// readerOf is a browser with a receipt for a page.
func (s *site) readerOf(path string) *visitor {
	s.Helper()
	reader := s.browser()
	page := reader.get(path).wants(http.StatusPaymentRequired)
	page = reader.submit("/.paywall/vouchers/redeem", map[string][]string{"code": {s.voucher("1.00")}, "return": {page.field("return")}}).follow()
	read := reader.submit("/.paywall/pay", map[string][]string{"quote": {page.field("quote")}, "offer": {"view"}}).follow().wants(http.StatusOK)
	if receiptOf(read) == nil {
		s.Fatalf("%s gives no receipt", path)
	}
	return reader
}

// A server forgets its functions when somebody says so, which nobody notices.
func TestForgottenFunctionsAreNoOutage(t *testing.T) {
	s, server := startOnRedis(t)
	m := s.machine("1.00")
	for i := range 3 {
		if _, err := server.Do("FUNCTION", "FLUSH"); err != nil {
			t.Fatal(err)
		}
		m.get(fmt.Sprintf("/articles/%d", i+1)).wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	}
	m.wantsBalance("0.70")
}

// A reload needs no Redis, as long as it is the same ledger, and the paywall that it
// makes recovers as the one before would have.
func TestAReloadWhileRedisIsDown(t *testing.T) {
	s, server := startOnRedis(t)
	m := s.machine("1.00")
	server.Kill()
	m.wantsDown("/articles/1")
	wantsNoError(t, s.tryLoad(onRedis(server.Addr()), magazine))
	m.wantsDown("/articles/1")
	if err := s.tryLoad(redisOption("address "+server.Addr()+"\nname other"), magazine); err == nil || !strings.Contains(err.Error(), "start Redis") {
		t.Errorf("a ledger that nobody has opened yet: %v", err)
	}
	m.wantsDown("/articles/1")
	server.Restart()
	m.wantsBack("/articles/1", "0.10 USD")
	m.wantsBalance("0.90")
}

// What belongs to a ledger that never came back goes with its last configuration.
func TestAPaywallIsRemovedWhileRedisIsDown(t *testing.T) {
	s, server := startOnRedis(t)
	m := s.machine("1.00")
	server.Kill()
	m.wantsDown("/articles/1")
	s.load("file_server")
	eventually(t, "the ledger is closed", func() bool { return openLedgers() == 0 })
	server.Restart()
	wantsNoError(t, s.tryLoad(onRedis(server.Addr()), magazine))
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
}

// A Redis that came back empty knows no wallet. Its readers are told neither that
// theirs are none nor to pay, and nothing is begun in the place of what was there.
func TestARedisThatHasLostItsLedgerIsNotTakenForANewOne(t *testing.T) {
	s, server := startOnRedis(t)
	m := s.machine("1.00")
	key, err := server.Client().Keys(t.Context(), "*meta*").Result()
	if err != nil || len(key) != 1 {
		t.Fatalf("the ledger's keys are %v, %v", key, err)
	}
	takeLog()
	if _, err := server.Do("RENAME", key[0], "elsewhere"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is noticed", func() bool { return strings.Contains(paywallLog(), "bring back its data") })
	m.wantsDown("/articles/1")
	s.wantsUp("0")
	if n, err := server.Client().Exists(t.Context(), key[0]).Result(); n != 0 || err != nil {
		t.Errorf("there is %d ledger in its place, %v", n, err)
	}
	if _, err := server.Do("RENAME", "elsewhere", key[0]); err != nil {
		t.Fatal(err)
	}
	m.wantsBack("/articles/1", "0.10 USD")
	m.wantsBalance("0.90")
	wantsLogged(t, "has lost it", "is open again")
}
