package redistest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Proxy stands between clients and a server and breaks what is between them. It
// has one fault at a time: the next one replaces it. Its methods are safe for
// concurrent use, and what goes wrong fails the test it was started for.
//
// It is toxiproxy, whose goroutines stay behind where a fault ends a connection
// with several pieces of 32 KiB under way. A test that counts goroutines sends
// less at a time.
type Proxy struct {
	t        testing.TB
	server   *toxiproxy.ApiServer
	port     int
	upstream string

	mu    sync.Mutex
	proxy *toxiproxy.Proxy // nil when cut
	fault fault
}

// fault is what is between a proxy's clients and its server.
type fault uint8

const (
	none fault = iota
	late
	silent
	resets
	refuses
)

// NewProxy starts a proxy in front of the server at upstream, without a fault.
func NewProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	p := &Proxy{
		t:        t,
		server:   toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()),
		port:     freePort(t),
		upstream: upstream,
	}
	t.Cleanup(p.Cut)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begin(none)
	return p
}

// Addr is where clients connect to. It stays the same.
func (p *Proxy) Addr() string { return address(p.port) }

// Cut closes all connections and refuses new ones.
func (p *Proxy) Cut() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
}

// Reset closes all connections, and resets each new one as soon as its client
// sends something, which the server never sees.
func (p *Proxy) Reset() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begin(resets, toxic{Type: "reset_peer", Stream: toServer})
}

// Delay has each answer come later by d, give or take up to jitter.
func (p *Proxy) Delay(d, jitter time.Duration) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.change(late, toxic{Type: "latency", Stream: toClient, Attributes: map[string]int64{
		"latency": d.Milliseconds(), "jitter": jitter.Milliseconds(),
	}})
}

// HalfOpen keeps all connections, and takes new ones, and passes nothing on:
// neither requests nor the answers to those that the server has already got.
func (p *Proxy) HalfOpen() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == silent {
		return
	}
	forever := map[string]int64{"timeout": 0}
	p.change(silent, toxic{Type: "timeout", Stream: toServer, Attributes: forever},
		toxic{Type: "timeout", Stream: toClient, Attributes: forever})
}

// Heal ends the fault. Connections that were silent are closed, because what
// they have lost does not come back; those that were only late go on.
func (p *Proxy) Heal() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.change(none)
}

// change replaces the fault. Connections go on if they have lost nothing.
func (p *Proxy) change(f fault, toxics ...toxic) {
	p.t.Helper()
	if p.fault != none && p.fault != late {
		p.begin(f, toxics...)
		return
	}
	p.proxy.Toxics.ResetToxics(context.Background())
	p.poison(toxics)
	p.fault = f
}

// begin closes all connections and takes new ones, to all of which this happens.
// It is a new proxy of the library, as an old one whose connections are ending
// must not be changed: it may wait for itself.
func (p *Proxy) begin(f fault, toxics ...toxic) {
	p.t.Helper()
	p.end()
	p.proxy = toxiproxy.NewProxy(p.server, "redistest", p.Addr(), p.upstream)
	p.poison(toxics)
	if err := p.proxy.Start(); err != nil {
		p.t.Fatalf("the proxy at %s: %v", p.Addr(), err)
	}
	p.fault = f
}

func (p *Proxy) end() {
	p.t.Helper()
	if p.proxy == nil {
		return
	}
	p.proxy.Stop()
	p.proxy = nil
	p.fault = refuses
	// A process that is being started has the listener too, for a moment.
	eventually(p.t, "the proxy's port is free", func() error {
		if !isFree(p.port) {
			return errors.New("somebody listens at " + p.Addr())
		}
		return nil
	})
}
