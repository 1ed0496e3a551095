package caddymodule

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
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
