package caddymodule

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
)

// The row about requests in early data (RFC 8470): a client that resumes a
// session sends them with its first packets, which somebody who has recorded
// them can send again.

var weatherOfEarlyData = []weatherRow{{
	name: "early data reads what is paid for and pays nothing, however often it is sent", only: "HTTP3", serve: servePage,
	story: func(f *flight) {
		c := f.resumable()
		c.inTime(visit{status: 200, outcome: "paid", page: true})
		c.await("the server has given a ticket", c.ticket)
		c.early(visit{path: "/articles/2", status: 425, outcome: "refused"})
		c.early(visit{status: 200, outcome: "granted", page: true})
		c.early(visit{method: http3.MethodHead0RTT, path: "/articles/2", status: 402, outcome: "challenged"})
		c.early(visit{by: stranger, status: 402, outcome: "challenged"})
		c.inTime(visit{path: "/articles/2", status: 200, outcome: "paid", page: true})
	},
	ledger: "charge charge", left: "0.80",
}}

// resumer is a client that keeps the server's session tickets, and makes a new
// connection for each request.
type resumer struct {
	*flight
	config *tls.Config
	ticket chan struct{} // closed when there is one
}

func (f *flight) resumable() resumer {
	cache := &ticketCache{ClientSessionCache: tls.NewLRUClientSessionCache(0), first: make(chan struct{})}
	return resumer{f, &tls.Config{RootCAs: f.station.roots, ClientSessionCache: cache}, cache.first}
}

// ticketCache tells of the first ticket.
type ticketCache struct {
	tls.ClientSessionCache
	first chan struct{}
	once  sync.Once
}

func (c *ticketCache) Put(key string, state *tls.ClientSessionState) {
	c.ClientSessionCache.Put(key, state)
	c.once.Do(func() { close(c.first) })
}

// inTime asks after the handshake of a new connection.
func (c resumer) inTime(v visit) {
	c.Helper()
	socket := &patientSocket{PacketConn: udpSocket(c.T), listen: make(chan struct{})}
	close(socket.listen)
	c.over(socket, v)
}

// early asks in the early data of a new connection. The client hears nothing of
// the handshake until the server has begun to answer, so that the server cannot
// have completed it. Somebody who has recorded what the client said until then
// sends it once more, and gets as little for it.
func (c resumer) early(v visit) {
	c.Helper()
	if v.method == "" {
		v.method = http3.MethodGet0RTT
	}
	socket := &patientSocket{PacketConn: udpSocket(c.T), listen: make(chan struct{})}
	_, earlyBefore := c.asked()
	begun, stop := c.whenAsked(), make(chan struct{})
	go func() {
		defer close(socket.listen)
		select {
		case <-begun:
		case <-stop:
		}
	}()
	defer close(stop)
	c.over(socket, v)
	if _, early := c.asked(); early != earlyBefore+1 {
		c.Fatalf("%s %s is no early data", v.method, v.path)
	}
	c.replay(socket.said, v)
}

// over asks over a connection of its own.
func (c resumer) over(socket *patientSocket, v visit) {
	c.Helper()
	transport, hangUp := quicTransport(c.T, socket, c.station.address, c.config)
	defer hangUp()
	before := c.visitor
	defer func() { c.visitor = before }()
	there := *before
	there.client = &http.Client{Transport: spoken{transport, c.protocol.proto}, Timeout: flightTimeout}
	c.visitor = &there
	c.pay(v)
}

// replay sends recorded packets from elsewhere until the server takes them for
// a new connection, and compares the outcome.
func (c resumer) replay(said [][]byte, v visit) {
	c.Helper()
	thief := udpSocket(c.T)
	to, err := net.ResolveUDPAddr("udp4", c.station.address)
	if err != nil {
		c.Fatal(err)
	}
	_, before := c.asked()
	sent := time.Time{}
	eventually(c.T, "a replay of "+v.method+" "+v.path+" reaches the site", func() bool {
		if time.Since(sent) > replayPause {
			sent = time.Now()
			for _, packet := range said {
				if _, err := thief.WriteTo(packet, to); err != nil {
					c.Fatal(err)
				}
			}
		}
		_, early := c.asked()
		return early > before
	})
	c.settled()
	if got := c.lastOutcome(); got != v.outcome {
		c.Errorf("a replay of %s %s has the outcome %q, want %q", v.method, v.path, got, v.outcome)
	}
}

// replayPause is between two tries to replay: the server knows a connection
// that has ended for a while yet.
const replayPause = 20 * time.Millisecond

// patientSocket hears nothing until it listens, and keeps what it says until
// then.
type patientSocket struct {
	net.PacketConn
	listen chan struct{}

	mu   sync.Mutex
	said [][]byte
}

func (p *patientSocket) ReadFrom(into []byte) (int, net.Addr, error) {
	<-p.listen
	return p.PacketConn.ReadFrom(into)
}

func (p *patientSocket) WriteTo(packet []byte, to net.Addr) (int, error) {
	select {
	case <-p.listen:
	default:
		p.mu.Lock()
		p.said = append(p.said, bytes.Clone(packet))
		p.mu.Unlock()
	}
	return p.PacketConn.WriteTo(packet, to)
}

// QUIC would warn of a socket whose buffers it cannot size.
func (p *patientSocket) SetReadBuffer(size int) error {
	return p.PacketConn.(*net.UDPConn).SetReadBuffer(size)
}

// SetWriteBuffer is as SetReadBuffer.
func (p *patientSocket) SetWriteBuffer(size int) error {
	return p.PacketConn.(*net.UDPConn).SetWriteBuffer(size)
}

func udpSocket(t *testing.T) net.PacketConn {
	t.Helper()
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	return socket
}
