package caddymodule

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// onRedis is the global option of a paywall whose ledger is at an address.
func onRedis(address string) string { return redisOption("address " + address) }

// startOnRedis starts the magazine with its ledger on a server of its own, and with
// the log that wantsLogged looks at.
func startOnRedis(t *testing.T, config ...string) (*site, *redistest.Server) {
	t.Helper()
	server := redistest.Start(t, config...)
	return startLogged(t, onRedis(server.Addr()), magazine), server
}

// A visitor sees no difference between the engines.
func TestTheMagazineIsReadOnRedisAsOnADisk(t *testing.T) {
	server := redistest.Start(t)
	s := startSiteWith(t, onRedis(server.Addr()), magazine)
	s.tellsTheReadersStory()
	s.tellsTheSubscribersStory()
	if exists(dataPath("ledger")) {
		t.Error("there is a ledger on the disk too")
	}
}

func TestADoubleClickOnRedisIsOneCharge(t *testing.T) {
	s, _ := startOnRedis(t)
	reader := s.browser()
	reader.submit("/.paywall/vouchers/redeem", url.Values{"code": {s.voucher("1.00")}}).wants(http.StatusSeeOther)
	form := url.Values{"quote": {reader.get("/articles/1").field("quote")}, "offer": {"view"}}
	reader.submit("/.paywall/pay", form).wantsHeader("Paywall-Charged", "0.10 USD")
	reader.submit("/.paywall/pay", form).wants(http.StatusSeeOther).wantsHeader("Paywall-Charged", "")
	reader.wantsBalance("0.90")
	s.wantsUp("1")
}

// What is on Redis outlives the paywall, its data directory but for the keys, and a
// change of the ledger's name, which is another ledger.
func TestALedgerOnRedisIsFoundAgain(t *testing.T) {
	server := redistest.Start(t)
	s := startSiteWith(t, onRedis(server.Addr()), magazine)
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	s.load("file_server")
	eventually(t, "the ledger is closed", func() bool { return openLedgers() == 0 })
	wantsNoError(t, s.tryLoad(redisOption("url redis://"+server.Addr()+"/0\nshards 1"), magazine))
	m.wantsBalance("0.90")
	wantsNoError(t, s.tryLoad(redisOption("url redis://"+server.Addr()+"\nname other\nshards 3"), magazine))
	m.get("/articles/1").wants(http.StatusUnauthorized)
	s.machine("1.00").get("/articles/1").wants(http.StatusOK)
	s.proveConservation()
	err := s.tryLoad(redisOption("url redis://"+server.Addr()+"\nshards 3"), magazine)
	if err == nil || !strings.Contains(err.Error(), "has 1 shards and not 3") {
		t.Errorf("another number of shards is told %v", err)
	}
	wantsNoError(t, s.tryLoad(onRedis(server.Addr()), magazine))
	m.wantsBalance("0.90")
}

func TestALedgerIsOnARedisThatSentinelsWatch(t *testing.T) {
	sentinels := redistest.StartSentinel(t, 1, "requirepass hunter2")
	t.Setenv("PAYWALL_TEST_PASSWORD", "hunter2")
	s := startSiteWith(t, redisOption("address "+strings.Join(sentinels.Addrs(), " ")+"\nsentinel "+redistest.MasterName+
		"\npassword {env.PAYWALL_TEST_PASSWORD}\ndurability strict"), magazine)
	s.tellsTheReadersStory()
	m := s.machine("1.00")
	sentinels.Failover()
	m.wantsBack("/articles/1", "0.10 USD")
	m.wantsBalance("0.90")
}

func TestALedgerIsOnARedisCluster(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	s := startSiteWith(t, redisOption("cluster\naddress "+strings.Join(cluster.Addrs(), " ")), magazine)
	s.tellsTheReadersStory()
	s.tellsTheSubscribersStory()
	for range 5 { // on several shards
		s.machine("1.00").get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Balance", "0.90 USD")
	}
}
