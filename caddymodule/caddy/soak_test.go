package main_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"
)

const (
	soakBriefly = 8 * time.Second // of make test; make soak takes longer
	soakSamples = 20
	soakReloads = 30 // of a run, but not more often than soakReloadGap
	soakRate    = 300
	soakWorkers = 16
	soakReaders = 8
	soakMoney   = "5000.00" // of a reader

	soakReloadGap = time.Second
)

// soaked is a site whose grants end soon, so that the ledger has little to
// keep, and whose clients say from where they ask.
func soaked(port, admin string) string {
	return fmt.Sprintf(`{
	admin %s
	persist_config off
	log {
		level ERROR
	}
	servers {
		trusted_proxies static 127.0.0.1/32
	}
	paywall {
		unpaid_limit 30 1m
	}
}
http://localhost:%s {
	bind 127.0.0.1
	paywall /articles/* 0.10 {
		window 30s
	}
	paywall /research/* {
		bundle 1000 1.00
		window 30s
	}
	respond "PAGE {path}"
}
`, admin, port)
}

// A server that does everything that servers of paywalls do, for as long as
// PAYWALL_SOAK says, takes no more memory, goroutines and files at the end than
// after it has warmed up, but for what the ledger keeps. It ends with the books
// proved (invariants 1 and 7).
func TestNothingGrowsUnderAMixedLoad(t *testing.T) {
	length := soakLength(t)
	site := newServer(t, soaked)
	site.start()
	l := newLoad(site)
	stop := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() { l.pace(stop) })
	for range soakWorkers {
		random := rand.New(rand.NewPCG(rand.Uint64(), 2))
		work.Go(func() { l.work(random) })
	}
	work.Go(func() { every(max(length/soakReloads, soakReloadGap), stop, site.reload) })
	var taken []sample
	t.Log(sampleHead)
	for range soakSamples {
		time.Sleep(length / soakSamples)
		taken = append(taken, site.sample(l))
		t.Log(taken[len(taken)-1])
	}
	close(stop)
	work.Wait()
	found := site.verify()
	t.Logf("%d entries, %d wallets; asked: %s", found.Entries, found.Wallets, l.counts())
	assertFlat(t, taken)
	l.assertUseful(length)
}

// soakLength is how long the run lasts.
func soakLength(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("PAYWALL_SOAK")
	if text == "" {
		return soakBriefly
	}
	length, err := time.ParseDuration(text)
	if err != nil || length < soakBriefly {
		t.Fatalf("PAYWALL_SOAK=%s must be a duration of at least %v", text, soakBriefly)
	}
	return length
}

// every does something again and again until stop is closed.
func every(pause time.Duration, stop <-chan struct{}, do func()) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			do()
		}
	}
}

// reload loads the configuration again, as an operator does who has changed it.
func (s *server) reload() {
	caddyfile, err := os.ReadFile(s.config)
	if err != nil {
		s.Error(err)
		return
	}
	r, err := http.NewRequest(http.MethodPost, "http://"+s.admin+"/load", bytes.NewReader(caddyfile))
	if err != nil {
		s.Error(err)
		return
	}
	r.Header.Set("Content-Type", "text/caddyfile")
	r.Header.Set("Cache-Control", "must-revalidate") // even though nothing has changed
	answer, err := (&http.Client{Timeout: commandTimeout}).Do(r)
	if err != nil {
		s.Errorf("reloading: %v", err)
		return
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		s.Errorf("reloading answers %d", answer.StatusCode)
	}
}
