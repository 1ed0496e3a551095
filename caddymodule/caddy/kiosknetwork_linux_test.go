package main_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// kioskNetwork is what is between a kiosk and its paywall. It tells where a tap is, and can be
// cut there.
type kioskNetwork struct {
	*testing.T
	url     string // of its near end
	paywall string
	struck  func(place) bool // and whether the request or its answer is lost there

	isCut  atomic.Bool
	inVain atomic.Int64 // requests that were not answered since it was cut
	leases atomic.Int64 // that were answered
}

func newKioskNetwork(t *testing.T, paywall string, struck func(place) bool) *kioskNetwork {
	t.Helper()
	n := &kioskNetwork{T: t, paywall: paywall, struck: struck}
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	n.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // by which the site is called
	return n
}

// cut has nothing pass.
func (n *kioskNetwork) cut() {
	n.inVain.Store(0)
	n.isCut.Store(true)
}

// mend waits until somebody has asked in vain.
func (n *kioskNetwork) mend() {
	n.Helper()
	for deadline := time.Now().Add(startTimeout); n.inVain.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			n.Fatal("nobody has asked while the network was cut")
		}
	}
	n.isCut.Store(false)
}

// The places on the way to the paywall, and on the way back.
var (
	there = map[string]place{wire.TapPath: asked, wire.CapturePath: capturing, wire.ReleasePath: releasing, wire.SyncPath: handing}
	back  = map[string]place{wire.TapPath: judged, wire.CapturePath: captured, wire.ReleasePath: released, wire.SyncPath: handed}
)

// straight is a client that keeps no connection to a paywall that may be killed.
var straight = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// lose ends a request without an answer.
func (n *kioskNetwork) lose() {
	n.inVain.Add(1)
	panic(http.ErrAbortHandler)
}

// ServeHTTP passes a request on, and its answer.
func (n *kioskNetwork) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || n.isCut.Load() || n.struck(there[r.URL.Path]) {
		n.lose()
	}
	onward, err := http.NewRequestWithContext(r.Context(), r.Method, n.paywall+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		n.lose()
	}
	onward.Header, onward.Host = r.Header, r.Host // the kiosk's token is for the host that it knows
	answer, err := straight.Do(onward)
	if err != nil {
		n.lose()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || n.struck(back[r.URL.Path]) {
		n.lose()
	}
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	w.WriteHeader(answer.StatusCode)
	if _, err := w.Write(text); err == nil && r.URL.Path == wire.LeasePath {
		n.leases.Add(1)
	}
}
