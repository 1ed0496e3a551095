package caddymodule

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// penny is a site whose every page costs a tenth of a cent.
const penny = "paywall /articles/* 0.001 {\ntitle \"%d\"\n}\nrespond \"SECRET {path}\""

// toldOf is what readers were told of the pages that they asked for.
type toldOf struct {
	sync.Mutex
	charged map[string]int // answers that told of a charge, by path
	down    int            // 503s
}

// spendUntil has readers ask for a new page each time, with one wallet, until they
// are stopped. What is answered 503 is asked for again later.
func (v *visitor) spendUntil(stop <-chan struct{}, readers int) (told *toldOf, done *sync.WaitGroup) {
	told, done = &toldOf{charged: make(map[string]int)}, new(sync.WaitGroup)
	for reader := range readers {
		done.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
				}
				path := fmt.Sprintf("/articles/%d-%d", reader, i)
				a := <-v.later(http.MethodGet, path)
				if a == nil {
					return
				}
				told.hear(v, path, a)
			}
		})
	}
	return told, done
}

func (told *toldOf) hear(v *visitor, path string, a *checked) {
	told.Lock()
	defer told.Unlock()
	switch {
	case a.StatusCode == http.StatusOK && a.Header.Get("Paywall-Charged") == "0.001 USD" && a.body == "SECRET "+path:
		told.charged[path]++
	case a.StatusCode == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == "5" && !strings.Contains(a.body, "SECRET"):
		told.down++
	default:
		v.Errorf("%s is answered %d %v\n%.300s", path, a.StatusCode, a.Header, a.body)
	}
}

// charges are how often the wallet has been charged for each page.
func (v *visitor) charges() map[string]int {
	v.Helper()
	found := make(map[string]int)
	for next := ""; ; {
		var list entriesJSON
		v.decode([]byte(v.get("/.paywall/wallet/entries?cursor="+url.QueryEscape(next)).wants(http.StatusOK).body), &list)
		for _, e := range list.Entries {
			if e.Kind == "charge" {
				found[e.Path]++
			}
		}
		if next = list.Next; next == "" {
			return found
		}
	}
}

// Redis is killed and comes back, again and again, while readers pay: what they were
// told is in the books, once (invariants 3, 4 and 5).
func TestWhatWasPaidIsThereOnceHoweverOftenRedisIsKilled(t *testing.T) {
	server := redistest.Start(t)
	s := startSiteWith(t, onRedis(server.Addr()), fmt.Sprintf(penny, 0))
	m := s.machine("90.00")
	stop := make(chan struct{})
	told, readers := m.spendUntil(stop, 8)
	for range 3 {
		time.Sleep(300 * time.Millisecond)
		server.Kill()
		time.Sleep(100 * time.Millisecond)
		server.Restart()
	}
	server.Kill()
	time.Sleep(settleTimeout) // so that readers are refused
	server.Restart()
	m.wantsBack("/articles/last", "0.001 USD")
	close(stop)
	readers.Wait()
	in := m.charges()
	for path, n := range in {
		if n != 1 {
			t.Errorf("invariant 3: %s was charged %d times", path, n)
		}
	}
	for path, n := range told.charged {
		if n != 1 || in[path] != 1 {
			t.Errorf("invariant 5: %s was told %d times and charged %d times", path, n, in[path])
		}
	}
	if len(told.charged) < 50 || told.down == 0 {
		t.Errorf("%d pages were paid for, and %d requests refused, so little was proved", len(told.charged), told.down)
	}
	m.wantsBalance((89*wallet.Unit + wallet.Amount(1000-len(in))*wallet.Unit/1000).String())
	t.Logf("%d pages paid for, %d of them without an answer, %d requests refused", len(in), len(in)-1-len(told.charged), told.down)
}

// Fifty reloads under load leave nothing behind on Redis either: no goroutine, no
// connection, and no charge that is lost or doubled.
func TestFiftyReloadsUnderLoadOnRedis(t *testing.T) {
	server := redistest.Start(t)
	s := startSiteWith(t, onRedis(server.Addr()), fmt.Sprintf(penny, 0))
	m := s.machine("90.00")
	m.client.CloseIdleConnections()
	before := settledUsage(t)
	l := m.underLoad(4, func(reader, i int) string { return fmt.Sprintf("/articles/%d-%d", reader, i) })
	for i := range 50 {
		wantsNoError(t, s.tryLoad(onRedis(server.Addr()), fmt.Sprintf(penny, i)))
	}
	l.end()
	in := m.charges()
	for path, n := range in {
		if n != 1 {
			t.Errorf("invariant 3: %s was charged %d times", path, n)
		}
	}
	if taken := int64(len(in)); taken < 50 || taken < l.charged.Load() || taken > l.charged.Load()+l.broken.Load() {
		t.Errorf("%d charges were answered, %d answers were swallowed, and the books have %d charges", l.charged.Load(), l.broken.Load(), taken)
	}
	m.client.CloseIdleConnections()
	// Redis' client keeps the connections that it needed at most.
	before.goroutines, before.sockets = before.goroutines+8, before.sockets+8
	wantsUsage(t, before)
}

// Reloads that change the connection open another ledger beside the one that
// requests still have, and close that with the last of them.
func TestReloadsThatChangeTheConnectionToRedis(t *testing.T) {
	server := redistest.Start(t)
	archive := t.TempDir()
	one := redisOption("address " + server.Addr() + "\narchive " + archive)
	other := redisOption("url redis://" + server.Addr() + "\ntimeout 900ms\narchive " + archive)
	page := newSlowPage(t)
	s := startSiteWith(t, one, page.directive)
	m := s.machine("1.00")
	m.client.CloseIdleConnections()
	before := settledUsage(t)
	answers := m.later(http.MethodGet, "/articles/1")
	<-page.asked
	wantsNoError(t, s.tryLoad(other, "paywall /articles/* 0.20\nfile_server"))
	if n := openLedgers(); n != 2 {
		t.Errorf("%d ledgers are open", n)
	}
	m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.20 USD")
	close(page.goAhead)
	(<-answers).wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD").says(secretBody)
	m.wantsBalance("0.70")
	eventually(t, "the ledger of before is closed", func() bool { return openLedgers() == 1 })
	for range 3 {
		wantsNoError(t, s.tryLoad(one, magazine))
		wantsNoError(t, s.tryLoad(other, magazine))
	}
	eventually(t, "all but the last ledger are closed", func() bool { return openLedgers() == 1 })
	m.wantsBalance("0.70")
	m.client.CloseIdleConnections()
	before.goroutines, before.sockets = before.goroutines+8, before.sockets+8
	wantsUsage(t, before)
	if n, held := archives.References(archive); !held || n != 1 {
		t.Errorf("%d ledgers have the archive", n)
	}
	wantsNoError(t, s.tryLoad(onRedis(server.Addr()), magazine))
	eventually(t, "the archive is closed", func() bool { _, held := archives.References(archive); return !held })
}

// Two Caddys must not both archive: each would miss what the other has trimmed.
func TestAnArchiveThatSomebodyElseHasIsRefused(t *testing.T) {
	server, dir := redistest.Start(t), t.TempDir()
	options := redisOption("address " + server.Addr() + "\narchive " + dir)
	s := startSite(t, magazine)
	other, err := redis.OpenDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.tryLoad(options, magazine); err == nil || !strings.Contains(err.Error(), "archive "+dir) || !strings.Contains(err.Error(), "only one archives") {
		t.Errorf("an archive in use is told %v", err)
	}
	err = s.tryLoad(redisOption("address "+server.Addr()+"\narchive "+dir+"/lock"), magazine)
	if err == nil || !strings.Contains(err.Error(), "archive "+dir+"/lock") {
		t.Errorf("an archive that cannot be made is told %v", err)
	}
	wantsNoError(t, other.Close())
	wantsNoError(t, s.tryLoad(options, magazine))
	s.machine("1.00").get("/articles/1").wants(http.StatusOK)
}
