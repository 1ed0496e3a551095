package redistest

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Dropper stands between clients and a server and loses answers: the server has
// executed the command, and instead of its answer the client sees the connection
// close. That is the fault that a client cannot tell from one in which nothing
// was executed. Its methods are safe for concurrent use.
//
// The commands with which a client begins a connection, and PING, are always
// answered. What a client has sent behind the command whose answer is lost may
// have been executed or not. Subscriptions are only understood in RESP3.
type Dropper struct {
	listener net.Listener
	upstream string
	copying  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	open    map[net.Conn]bool
	random  *rand.Rand
	every   int // 0 for never
	next    int
	tear    int
	dropped int
}

// NewDropper starts a dropper in front of the server at upstream. It drops
// nothing until it is told to.
func NewDropper(t testing.TB, upstream string, seed uint64) *Dropper {
	t.Helper()
	listener, err := net.Listen("tcp", address(0))
	if err != nil {
		t.Fatal(err)
	}
	d := &Dropper{
		listener: listener,
		upstream: upstream,
		open:     make(map[net.Conn]bool),
		random:   rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // no secret, and a run must be repeatable
	}
	t.Cleanup(d.close)
	d.copying.Go(d.accept)
	return d
}

// Addr is where clients connect to.
func (d *Dropper) Addr() string { return d.listener.Addr().String() }

// DropEvery loses one answer of n, at random and on average; 0 loses none.
func (d *Dropper) DropEvery(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.every = n
}

// DropNext loses the next n answers.
func (d *Dropper) DropNext(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = n
}

// TearNext loses the second half of each of the next n answers.
func (d *Dropper) TearNext(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tear = n
}

// Dropped is how many answers were lost, in whole or in part.
func (d *Dropper) Dropped() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dropped
}

// fate is how many of an answer's bytes its client gets.
func (d *Dropper) fate(length int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.next > 0:
		d.next--
		length = 0
	case d.tear > 0:
		d.tear--
		length /= 2
	case d.every > 0 && d.random.IntN(d.every) == 0:
		length = 0
	default:
		return length
	}
	d.dropped++
	return length
}

// close ends all connections and returns when nothing is copied any more.
func (d *Dropper) close() {
	d.mu.Lock()
	d.closed = true
	_ = d.listener.Close()
	for connection := range d.open {
		_ = connection.Close()
	}
	d.mu.Unlock()
	d.copying.Wait()
}
