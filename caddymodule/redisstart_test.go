package caddymodule

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// A paywall that cannot take money, or may lose it, does not start: the error says
// what to change, and shows no password. The one that runs goes on.
func TestARedisThatCannotBeUsedIsRefusedWithItsCure(t *testing.T) {
	const password, wrong = "hunter2hunter2", "swordfish"
	t.Setenv("PAYWALL_TEST_PASSWORD", password)
	t.Setenv("PAYWALL_TEST_WRONG", wrong)
	s := startLogged(t, "", magazine)
	m := s.machine("1.00")
	master := redistest.Start(t)
	for _, c := range []struct {
		server  string // a line of its configuration; empty: there is none
		options string // besides the address
		cure    string
	}{
		{"", "", "nothing listens there: start Redis, or correct the address"},
		{"appendonly no", "", "CONFIG SET appendonly yes"},
		{"maxmemory-policy allkeys-lru", "", "CONFIG SET maxmemory-policy noeviction"},
		{"appendfsync everysec", "", "CONFIG SET appendfsync always, or set durability fast"},
		{"appendfsync everysec", "durability durable", "CONFIG SET appendfsync always, or set durability fast"},
		{"appendfsync no", "durability fast", "CONFIG SET appendfsync always, or everysec"},
		{"appendfsync always", "durability strict", "attach one (replicaof), or set durability durable"},
		{"replicaof " + strings.Replace(master.Addr(), ":", " ", 1), "", "give the address of the master"},
		{"requirepass " + password, "", "set password in the option ledger redis"},
		{"requirepass " + password, "password {env.PAYWALL_TEST_WRONG}", "compare them with its users"},
		{"requirepass " + password, "username nobody\npassword {env.PAYWALL_TEST_PASSWORD}", "compare them with its users"},
		{"rename-command CONFIG \"\"", "", "set assume_durable"},
		{"appendfsync always", "tls", ""},
	} {
		address := freeAddress(t)
		if c.server != "" {
			address = redistest.Start(t, c.server).Addr()
		}
		began := time.Now()
		err := s.tryLoad(redisOption("address "+address+"\n"+c.options), magazine)
		if err == nil || !strings.Contains(err.Error(), "opening the ledger: ledger redis: ") || !strings.Contains(err.Error(), c.cure) {
			t.Errorf("%s\n%s\n  says %v\n  want %q", c.server, c.options, err, c.cure)
		}
		if took := time.Since(began); took > 2*settleTimeout {
			t.Errorf("%s\n%s\n  was tried for %v", c.server, c.options, took)
		}
		for _, secret := range []string{password, wrong} {
			if err != nil && strings.Contains(err.Error(), secret) || strings.Contains(paywallLog(), secret) {
				t.Errorf("%s\n%s\n  the error or the log shows a password: %v", c.server, c.options, err)
			}
		}
		if n := openLedgers(); n != 1 {
			t.Errorf("%s\n%s\n  %d ledgers are open", c.server, c.options, n)
		}
	}
	m.get("/articles/1").wants(http.StatusOK)
	m.wantsBalance("0.90")
}

func TestARedisThatHidesItsConfigurationIsTakenOnTheOperatorsWord(t *testing.T) {
	server := redistest.Start(t, `rename-command CONFIG ""`)
	s := startLogged(t, redisOption("address "+server.Addr()+"\nassume_durable"), magazine)
	wantsLogged(t, "assume_durable says that it keeps what it is told")
	s.machine("1.00").get("/articles/1").wants(http.StatusOK)
}

// A password that was changed takes effect with a reload, under the same
// placeholder, and is nowhere to be read.
func TestARotatedPasswordIsUsedAfterAReload(t *testing.T) {
	const before, after = "hunter2hunter2", "swordfish12345"
	t.Setenv("PAYWALL_TEST_PASSWORD", before)
	server := redistest.Start(t, "requirepass "+before)
	options := redisOption("url redis://:{env.PAYWALL_TEST_PASSWORD}@" + server.Addr())
	s := startLogged(t, options, magazine)
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	first := runningApp(t).store.StoreKey()
	if _, err := server.Do("CONFIG", "SET", "requirepass", after); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PAYWALL_TEST_PASSWORD", after)
	s.loadLogged(options, magazine)
	if second := runningApp(t).store.StoreKey(); first == second {
		t.Error("the store is the same, so that the old password goes on to be used")
	}
	m.get("/articles/2").wants(http.StatusOK)
	m.wantsBalance("0.80")
	eventually(t, "the ledger of the old password is closed", func() bool { return openLedgers() == 1 })
	for where, text := range map[string]string{
		"log": takeLog(), "configuration": s.adminGet("/config/"), "metrics": s.adminGet("/metrics"), "store key": first,
	} {
		if strings.Contains(text, before) || strings.Contains(text, after) {
			t.Errorf("a password is in the %s", where)
		}
	}
}
