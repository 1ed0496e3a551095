package caddymodule

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

// atOnce asks for the paths at the same time and counts the answers by what
// they cost: charged, visits and free among the 200s, else the status.
func (v *visitor) atOnce(paths []string) map[string]int {
	v.Helper()
	var mu sync.Mutex
	counts := map[string]int{}
	start := make(chan struct{})
	var group sync.WaitGroup
	for _, path := range paths {
		group.Go(func() {
			<-start
			r, err := http.NewRequest(http.MethodGet, v.url+path, nil)
			if err != nil {
				v.Error(err)
				return
			}
			r.Header = v.header.Clone()
			resp, err := v.client.Do(r)
			if err != nil {
				v.Error(err)
				return
			}
			resp.Body.Close()
			what := fmt.Sprint(resp.StatusCode)
			switch {
			case resp.Header.Get("Paywall-Charged") != "":
				what = "charged"
			case resp.Header.Get("Paywall-Visits") != "":
				what = "visit"
			case resp.StatusCode == http.StatusOK:
				what = "free"
			}
			mu.Lock()
			defer mu.Unlock()
			counts[what]++
		})
	}
	close(start)
	group.Wait()
	v.client.CloseIdleConnections()
	return counts
}

func manyPaths(n int, format string) (paths []string) {
	for i := range n {
		paths = append(paths, fmt.Sprintf(format, i))
	}
	return paths
}

const endlessMagazine = "paywall /articles/* 0.10 {\nbundle 10 0.50\n}\nrespond \"SECRET {path}\""

// Invariant 2.
func TestAHundredPagesAtOnceWithMoneyForThree(t *testing.T) {
	s := startSite(t, endlessMagazine)
	m := s.machine("0.39")
	got := m.atOnce(manyPaths(100, "/articles/%d"))
	if got["charged"] != 3 || got["402"] != 97 {
		t.Errorf("the answers are %v", got)
	}
	m.wantsBalance("0.09")
}

// Invariant 3: whoever asks again while the first is under way does not pay
// again.
func TestAHundredTimesOnePageAtOnceIsOneCharge(t *testing.T) {
	s := startSite(t, endlessMagazine)
	m := s.machine("5.00")
	got := m.atOnce(manyPaths(100, "/articles/1?%d"))
	if got["charged"] != 1 || got["free"] != 99 {
		t.Errorf("the answers are %v", got)
	}
	m.wantsBalance("4.90")
}

func TestTenVisitsAreSpentByFiftyPagesAtOnceExactlyTenTimes(t *testing.T) {
	s := startSite(t, endlessMagazine)
	m := s.machine("0.50")
	m.post("/.paywall/pay", map[string]any{"path": "/articles/0", "offer": "bundle"}).wants(http.StatusOK)
	got := m.atOnce(manyPaths(50, "/articles/%d"))
	if got["visit"] != 10 || got["402"] != 40 {
		t.Errorf("the answers are %v", got)
	}
	m.wantsBalance("0.00")
}

func TestOnePaymentSentFiftyTimesAtOnceIsMadeOnce(t *testing.T) {
	s := startSite(t, endlessMagazine)
	m := s.machine("5.00")
	code := s.voucher("1.00")
	body := map[string]any{"path": "/articles/1", "id": newTestID(t)}
	var redeemed atomic.Int64
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			m.post("/.paywall/pay", body).wants(http.StatusOK)
			if m.post("/.paywall/vouchers/redeem", map[string]any{"code": code}).StatusCode == http.StatusOK {
				redeemed.Add(1)
			}
		})
	}
	group.Wait()
	if redeemed.Load() != 1 {
		t.Errorf("the voucher was redeemed %d times", redeemed.Load())
	}
	m.wantsBalance("5.90")
}
