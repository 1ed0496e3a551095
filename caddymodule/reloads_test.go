package caddymodule

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// usage is what this process has of what a configuration could leave behind.
type usage struct{ goroutines, files, sockets, ledgers int }

func (u usage) within(limit usage) bool {
	return u.goroutines <= limit.goroutines && u.files <= limit.files && u.sockets <= limit.sockets && u.ledgers <= limit.ledgers
}

func usageNow(t *testing.T) (u usage) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	u.goroutines, u.ledgers = runtime.NumGoroutine(), openLedgers()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" { // elsewhere goroutines and ledgers are counted
		t.Fatal(err)
	}
	for _, file := range open {
		switch target, err := os.Readlink("/proc/self/fd/" + file.Name()); {
		case err != nil: // the one that reads the directory
		case strings.HasPrefix(target, "socket:"):
			u.sockets++
		default:
			u.files++
		}
	}
	return u
}

// settledUsage is the usage once what is about to end has.
func settledUsage(t *testing.T) usage {
	t.Helper()
	least := usageNow(t)
	for range 50 {
		time.Sleep(10 * time.Millisecond)
		now := usageNow(t)
		least = usage{
			min(least.goroutines, now.goroutines), min(least.files, now.files),
			min(least.sockets, now.sockets), min(least.ledgers, now.ledgers),
		}
	}
	return least
}

// load is readers who ask for a new page each time until they are stopped. They
// leave the processor to the reloads now and then.
type load struct {
	charged, asked, broken atomic.Int64
	stop                   chan struct{}
	readers                sync.WaitGroup
}

func (v *visitor) underLoad(readers int, path func(reader, i int) string) *load {
	l := &load{stop: make(chan struct{})}
	for reader := range readers {
		l.readers.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			pace := time.NewTicker(10 * time.Millisecond)
			defer pace.Stop()
			for i := 0; ; i++ {
				select {
				case <-l.stop:
					return
				case <-pace.C:
				}
				r, err := http.NewRequest(http.MethodGet, v.url+path(reader, i), nil)
				if err != nil {
					v.Error(err)
					return
				}
				r.Header = v.header.Clone()
				l.ask(v, client, r)
			}
		})
	}
	return l
}

func (l *load) ask(v *visitor, client *http.Client, r *http.Request) {
	resp, err := client.Do(r)
	if err != nil {
		l.broken.Add(1) // a reload closes idle connections; whoever retries learns what happened
		return
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	l.asked.Add(1)
	switch {
	case resp.Header.Get("Paywall-Charged") == "0.001 USD":
		l.charged.Add(1)
	case resp.StatusCode != http.StatusOK:
		v.Errorf("%s is answered %d, %v", r.URL, resp.StatusCode, resp.Header)
	}
}

func (l *load) end() {
	close(l.stop)
	l.readers.Wait()
}

// Fifty reloads under load: no charge is lost or doubled (invariants 3 and 5),
// and of the fifty nothing is left behind: no goroutine, connection or file.
func TestFiftyReloadsUnderLoad(t *testing.T) {
	configuration := "paywall /articles/* 0.001 {\ntitle \"%d\"\n}\nrespond \"SECRET {path}\""
	s := startSite(t, fmt.Sprintf(configuration, 0))
	m := s.machine("90.00")
	s.load(fmt.Sprintf(configuration, 1))
	m.client.CloseIdleConnections()
	before := settledUsage(t)
	l := m.underLoad(4, func(reader, i int) string { return fmt.Sprintf("/articles/%d-%d", reader, i) })
	for i := range 50 {
		s.load(fmt.Sprintf(configuration, i))
	}
	l.end()
	if l.asked.Load() < 50 {
		t.Errorf("only %d requests were made", l.asked.Load())
	}
	m.client.CloseIdleConnections()
	wantsUsage(t, before)
	var audit auditJSON
	s.decode([]byte(s.operator("verify", "--json")), &audit)
	site, err := wallet.ParseAmount(audit.Site)
	if err != nil {
		t.Fatal(err)
	}
	// A request whose answer a closing connection swallowed may have been
	// charged: then it is there to be read.
	if taken := int64(site / (wallet.Unit / 1000)); taken < l.charged.Load() || taken > l.charged.Load()+l.broken.Load() {
		t.Errorf("%d charges were answered, %d answers were swallowed, and the books have %d charges", l.charged.Load(), l.broken.Load(), taken)
	}
}

// wantsUsage waits until no more is in use than before.
func wantsUsage(t *testing.T, before usage) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	var now usage
	for now = usageNow(t); !now.within(before); now = usageNow(t) {
		if time.Now().After(deadline) {
			t.Fatalf("in use are %+v, and before it was %+v", now, before)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Ten reloads that change the ledger each time: every one is closed, and
// frees its files, when its last request is settled.
func TestReloadsThatChangeTheLedger(t *testing.T) {
	_, one := ledgerDir(t)
	_, other := ledgerDir(t)
	s := startLogged(t, other, magazine)
	s.machine("1.00")
	wantsNoError(t, s.tryLoad(one, magazine))
	m := s.machine("1.00")
	m.client.CloseIdleConnections()
	before := settledUsage(t)
	l := s.stranger().underLoad(2, func(int, int) string { return "/" })
	for range 5 {
		wantsNoError(t, s.tryLoad(other, magazine))
		wantsNoError(t, s.tryLoad(one, magazine))
	}
	l.end()
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	m.wantsBalance("0.90")
	m.client.CloseIdleConnections()
	wantsUsage(t, before)
}

// A reload that fails changes nothing for a request that is under way.
func TestAFailedReloadWithARequestInFlight(t *testing.T) {
	page := newSlowPage(t)
	s := startSite(t, page.directive)
	m := s.machine("1.00")
	for i, method := range []string{http.MethodGet, http.MethodPost} {
		answers := m.later(method, fmt.Sprintf("/articles/%d", i))
		<-page.asked
		if err := s.tryLoad("paywall {\nsecret short\n}", magazine); err == nil {
			t.Fatal("a wrong secret is accepted")
		}
		if n, _ := ledgers.References(runningApp(t).store.StoreKey()); n != 1 || openLedgers() != 1 {
			t.Errorf("%d references to %d ledgers are held", n, openLedgers())
		}
		page.goAhead <- struct{}{}
		(<-answers).wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD").says(secretBody)
	}
	m.wantsBalance("0.80")
}
