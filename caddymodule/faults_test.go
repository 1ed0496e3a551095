package caddymodule

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// wantsDown is the answer of a paywall whose ledger cannot say, and at once.
func (v *visitor) wantsDown(path string) {
	v.Helper()
	asked := time.Now()
	v.get(path).wants(http.StatusServiceUnavailable).wantsHeader("Retry-After", "5").
		wantsHeader("Cache-Control", "no-store").saysNot("SECRET")
	if took := time.Since(asked); took >= settleTimeout {
		v.Errorf("the 503 took %v: requests pile up", took)
	}
}

// wantsBack waits until a page can be had again, and wants it charged or not.
func (v *visitor) wantsBack(path, charged string) {
	v.Helper()
	var last *checked
	eventually(v.T, path+" can be read again", func() bool {
		last = v.get(path)
		if last.StatusCode != http.StatusOK {
			last.wants(http.StatusServiceUnavailable).saysNot("SECRET") // never a 402: it may be paid for
		}
		return last.StatusCode == http.StatusOK
	})
	last.says("SECRET").wantsHeader("Paywall-Charged", charged)
}

// wantsUp wants the metric of the ledger.
func (s *site) wantsUp(want string) {
	s.Helper()
	if metrics := s.adminGet("/metrics"); !strings.Contains(metrics, "\ncaddy_paywall_ledger_up "+want+"\n") {
		s.Errorf("the metrics do not say caddy_paywall_ledger_up %s", want)
	}
}

// paywallLog is what the paywall has logged so far, without what Caddy has.
func paywallLog() string {
	logged.Lock()
	defer logged.Unlock()
	var own strings.Builder
	for line := range strings.Lines(logged.String()) {
		if strings.Contains(line, `"logger":"paywall`) {
			own.WriteString(line)
		}
	}
	return own.String()
}

// wantsLogged wants each text once in what the paywall has logged, so that an
// operator finds it and nothing hides it.
func wantsLogged(t *testing.T, texts ...string) {
	t.Helper()
	log := paywallLog()
	for _, text := range texts {
		if n := strings.Count(log, text); n != 1 {
			t.Errorf("the log says %q %d times, want once:\n%s", text, n, log)
		}
	}
}

// A ledger that stops is opened again by itself; until then nothing leaves and
// nothing is paid twice (invariants 3, 4 and 6).
func TestALedgerThatHasStoppedComesBackByItself(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault fault
		after string // what the page costs afterwards
	}{
		{"before the charge", fault{lost: "charge"}, "0.10 USD"},
		{"after the charge", fault{unanswered: "charge"}, ""},
		{"at the question", fault{lost: "standing"}, "0.10 USD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startLogged(t, faultySite, magazine)
			m, other := s.machine("1.00"), s.machine("1.00")
			s.wantsUp("1")
			takeLog()
			c.fault.stops, c.fault.unopenable = true, errors.New("no room; free some")
			mend := breakLine(t, c.fault)
			m.wantsDown("/articles/1")
			for _, v := range []*visitor{m, other} {
				v.wantsDown("/articles/1")
				v.wantsDown("/research/1")
				v.wantsDown("/.paywall/wallet")
			}
			s.wantsUp("0")
			eventually(t, "the log says why", func() bool { return strings.Contains(paywallLog(), "no room; free some") })
			mend()
			m.wantsBack("/articles/1", c.after)
			m.wantsBalance("0.90")
			other.wantsBalance("1.00")
			s.wantsUp("1")
			wantsLogged(t, "no room; free some", "the ledger is open again")
		})
	}
}

// The ids that were under way when the ledger stopped tell afterwards what
// became of them, and are no second payment (invariants 3 and 6).
func TestAnIDThatAStopLeftInDoubtIsToldAfterwards(t *testing.T) {
	for want, f := range map[wallet.Outcome]fault{
		wallet.Applied:  {lost: "redeem", stops: true},
		wallet.Replayed: {unanswered: "redeem", stops: true},
	} {
		t.Run(want.String(), func(t *testing.T) {
			s := startLogged(t, faultySite, magazine)
			m := s.machine("")
			code := s.voucher("1.00")
			mend := breakLine(t, f)
			body := map[string]any{"code": code}
			m.post("/.paywall/vouchers/redeem", body).wants(http.StatusServiceUnavailable).wantsHeader("Retry-After", "5")
			mend()
			eventually(t, "the voucher is redeemed", func() bool {
				return m.post("/.paywall/vouchers/redeem", body).StatusCode != http.StatusServiceUnavailable
			})
			m.wantsBalance("1.00")
		})
	}
}

// A reload does not need the ledger to be well, and the paywall that it makes
// recovers as the one before would have.
func TestAReloadWhileTheLedgerIsDown(t *testing.T) {
	s := startLogged(t, faultySite, magazine)
	m := s.machine("1.00")
	mend := breakLine(t, fault{lost: "charge", stops: true, unopenable: errors.New("no room; free some")})
	m.wantsDown("/articles/1")
	if err := s.tryLoad(faultySite, magazine); err != nil {
		t.Fatal(err)
	}
	m.wantsDown("/articles/1")
	mend()
	m.wantsBack("/articles/1", "0.10 USD")
	m.wantsBalance("0.90")
}

// What belongs to a ledger that never came back goes with its last configuration.
func TestAPaywallIsRemovedWhileItsLedgerIsDown(t *testing.T) {
	s := startLogged(t, faultySite, magazine)
	m := s.machine("1.00")
	mend := breakLine(t, fault{lost: "charge", stops: true, unopenable: errors.New("no room; free some")})
	m.wantsDown("/articles/1")
	s.load("file_server")
	eventually(t, "the ledger is closed", func() bool { return openLedgers() == 0 })
	mend()
	if err := s.tryLoad(faultySite, magazine); err != nil {
		t.Fatal(err)
	}
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
}

// A disk that stands still: whoever waits is told that nobody knows, whoever
// comes later is told at once, and what took effect all the same is paid for
// (invariants 4 and 6).
func TestALedgerThatDoesNotAnswerInTime(t *testing.T) {
	s := startLogged(t, faultySite, magazine)
	readers := make([]*visitor, 10)
	for i := range readers {
		readers[i] = s.machine("1.00")
	}
	late := s.machine("1.00")
	takeLog()
	mend := breakLine(t, fault{unanswered: "charge", late: true})
	var waiting sync.WaitGroup
	asked := time.Now()
	for _, m := range readers {
		waiting.Go(func() {
			a := <-m.later(http.MethodGet, "/articles/1")
			if a == nil || a.StatusCode != http.StatusServiceUnavailable || strings.Contains(a.body, "SECRET") {
				t.Errorf("whoever waits gets %+v", a)
			}
		})
	}
	waiting.Wait()
	if took := time.Since(asked); took > 3*settleTimeout {
		t.Errorf("they waited for %v", took)
	}
	s.wantsUp("0")
	quick := 0
	for range 20 {
		asked = time.Now()
		late.get("/articles/2").wants(http.StatusServiceUnavailable).wantsHeader("Retry-After", "5").saysNot("SECRET")
		if time.Since(asked) < settleTimeout {
			quick++
		}
	}
	if quick < 15 { // the others tried whether the ledger answers again
		t.Errorf("only %d of 20 are told at once that the ledger is late", quick)
	}
	mend()
	late.wantsBack("/articles/2", "0.10 USD")
	for _, m := range readers {
		m.get("/articles/1").wants(http.StatusOK).says("SECRET").wantsHeader("Paywall-Charged", "")
		m.wantsBalance("0.90")
	}
	late.wantsBalance("0.90")
	s.wantsUp("1")
	wantsLogged(t, "does not answer in time; look at", "answers in time again")
}
