package caddymodule

import (
	"fmt"
	"io"
	"net"
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

// slowPage is an upstream that begins to answer when it is told to.
type slowPage struct {
	directive      string
	asked, goAhead chan struct{}
}

func newSlowPage(t *testing.T) slowPage {
	p := slowPage{asked: make(chan struct{}), goAhead: make(chan struct{})}
	p.directive = "paywall /articles/* 0.10\n" + upstreamOf(t, func(w http.ResponseWriter, _ *http.Request) error {
		p.asked <- struct{}{}
		select {
		case <-p.goAhead:
		case <-t.Context().Done(): // the test has failed
		}
		_, err := io.WriteString(w, secretBody)
		return err
	})
	return p
}

// later asks for a page and returns what comes.
func (v *visitor) later(method, path string) <-chan *checked {
	v.Helper()
	answers := make(chan *checked, 1)
	r, err := http.NewRequest(method, v.url+path, nil)
	if err != nil {
		v.Fatal(err)
	}
	r.Header = v.header.Clone()
	go func() {
		defer close(answers)
		resp, err := v.client.Do(r)
		if err != nil {
			v.Error(err)
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			v.Error(err)
		}
		answers <- &checked{v, answer{resp, string(body)}}
	}()
	return answers
}

// A request that a reload overtakes is charged by the configuration that began
// it, in the ledger that the new one goes on with.
func TestAReloadWithARequestInFlight(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		t.Run(method, func(t *testing.T) {
			page := newSlowPage(t)
			s := startSite(t, page.directive)
			m := s.machine("1.00")
			answers := m.later(method, "/articles/1")
			<-page.asked
			s.load("paywall /articles/* 0.20\nfile_server")
			if n := openLedgers(); n != 1 {
				t.Errorf("%d ledgers are open", n)
			}
			m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.20 USD")
			close(page.goAhead)
			(<-answers).wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD").says(secretBody)
			m.wantsBalance("0.70")
		})
	}
}

// Over a changed directory each configuration keeps its own ledger until its
// last request is settled.
func TestAReloadToAnotherLedgerWithARequestInFlight(t *testing.T) {
	page := newSlowPage(t)
	s := startSite(t, page.directive)
	m := s.machine("1.00")
	answers := m.later(http.MethodGet, "/articles/1")
	<-page.asked
	elsewhere := "paywall {\nledger local " + t.TempDir() + "\n}"
	if err := s.tryLoad(elsewhere, "paywall /articles/* 0.20\nfile_server"); err != nil {
		t.Fatal(err)
	}
	if n := openLedgers(); n != 2 {
		t.Errorf("%d ledgers are open", n)
	}
	m.get("/articles/1").wants(http.StatusUnauthorized) // the new ledger does not know the wallet
	close(page.goAhead)
	(<-answers).wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	eventually(t, "the ledger of before is closed", func() bool { return openLedgers() == 1 })
	s.load(magazine)
	m.wantsBalance("0.90")
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
}

func TestAFailedReloadLeavesTheRunningPaywallCharging(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	occupied := t.TempDir() + "/file"
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	elsewhere := "paywall {\nledger local " + t.TempDir() + "\n}"
	for name, reload := range map[string]func() error{
		"a wrong secret":             func() error { return s.tryLoad("paywall {\nsecret short\n}", magazine) },
		"a ledger that cannot open":  func() error { return s.tryLoad("paywall {\nledger local "+occupied+"\n}", magazine) },
		"prices that do not fit":     func() error { return s.tryLoad("", "paywall /a 1 {\nrule x\nbundle 1 1\n}\npaywall /b 1 {\nrule x\n}") },
		"a module after the paywall": func() error { return s.tryLoad("", magazine+"\n}\nhttps://127.0.0.1:1 {\ntls /no/cert /no/key") },
		"a port that is in use": func() error {
			return s.tryLoad(elsewhere, magazine+"\n}\nhttp://"+taken.Addr().String()+" {\nrespond 1")
		},
	} {
		if err := reload(); err == nil {
			t.Fatalf("%s is accepted", name)
		}
		if n := openLedgers(); n != 1 {
			t.Errorf("after %s: %d ledgers are open", name, n)
		}
		m.get("/articles/1").wants(http.StatusOK).says("SECRET")
		// The operator's commands go to the paywall that runs.
		if list := s.operator("wallet", "list"); !strings.Contains(list, m.id()) {
			t.Errorf("after %s the operator sees\n%s", name, list)
		}
	}
	m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	m.wantsBalance("0.80")
}

// A paywall that goes from the configuration closes its ledger; one that comes
// back finds the money.
func TestAPaywallThatIsRemovedAndComesBack(t *testing.T) {
	s := startSite(t, magazine)
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	s.load("file_server")
	eventually(t, "the ledger is closed", func() bool { return openLedgers() == 0 })
	if _, err := s.tryOperator("verify"); err == nil || !strings.Contains(err.Error(), "no paywall") {
		t.Errorf("without a paywall the operator is told %v", err)
	}
	s.load(magazine)
	m.wantsBalance("0.90")
}

// Thirty reloads under load: no charge is lost or doubled (invariants 3 and 5),
// and nothing of the thirty is left behind.
func TestReloadsUnderLoad(t *testing.T) {
	s := startSite(t, "paywall /articles/* 0.01\nrespond \"SECRET {path}\"")
	m := s.machine("90.00")
	s.load("paywall /articles/* 0.01\nrespond \"SECRET {path} again\"")
	m.client.CloseIdleConnections()
	before := settledGoroutines()

	var charged, asked atomic.Int64
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for reader := range 4 {
		readers.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				r, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/articles/%d-%d", s.url, reader, i), nil)
				if err != nil {
					t.Error(err)
					return
				}
				r.Header = m.header.Clone()
				resp, err := client.Do(r)
				if err != nil {
					continue // a reload closes idle connections; whoever retries learns what happened
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				asked.Add(1)
				if resp.Header.Get("Paywall-Charged") == "0.01 USD" {
					charged.Add(1)
				} else {
					t.Errorf("answered %d, %v", resp.StatusCode, resp.Header)
				}
			}
		})
	}
	for i := range 30 {
		s.load(fmt.Sprintf("paywall /articles/* 0.01 {\ntitle \"%d\"\n}\nrespond \"SECRET {path}\"", i))
	}
	close(stop)
	readers.Wait()
	if asked.Load() < 30 {
		t.Errorf("only %d requests were made", asked.Load())
	}
	var audit auditJSON
	s.decode([]byte(s.operator("verify", "--json")), &audit)
	site, err := wallet.ParseAmount(audit.Site)
	if err != nil {
		t.Fatal(err)
	}
	// A request whose answer a closing connection swallowed may have been
	// charged: then it is there to be read.
	if taken := int64(site / (wallet.Unit / 100)); taken < charged.Load() || taken > charged.Load()+30 {
		t.Errorf("%d charges were answered, and the books have %d", charged.Load(), taken)
	}
	if n := openLedgers(); n != 1 {
		t.Errorf("%d ledgers are open", n)
	}
	m.client.CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "as few goroutines run as before", func() bool { return runtime.NumGoroutine() <= before+3 })
}

// settledGoroutines is how many goroutines run once those that are about to end
// have.
func settledGoroutines() int {
	n := runtime.NumGoroutine()
	for range 50 {
		time.Sleep(10 * time.Millisecond)
		if now := runtime.NumGoroutine(); now < n {
			n = now
		}
	}
	return n
}
