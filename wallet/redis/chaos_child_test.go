package redis

import (
	"encoding/gob"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// childRedis and childWallets tell the test binary, run again, that it is the process to
// be killed, where its Redis is, and whose money it moves.
const (
	childRedis   = "PAYWALL_TEST_CHILD_REDIS"
	childWallets = "PAYWALL_TEST_CHILD_WALLETS"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(childRedis); address != "" {
		beAChild(address, strings.Fields(os.Getenv(childWallets)))
	}
	os.Exit(m.Run())
}

// told is what the child says on its standard output: before it asks for something, and
// when it has the answer. It is said when it is in the pipe.
type told struct {
	Op       any
	At       time.Time
	Answered bool
	Receipt  wallet.Receipt
}

func init() {
	for _, op := range []any{
		wallet.Charge{}, wallet.Settlement{}, wallet.Transfer{}, wallet.Hold{}, wallet.Capture{}, wallet.Release{},
	} {
		gob.Register(op)
	}
}

// beAChild is a Caddy of its own, until it is killed.
func beAChild(address string, wallets []string) {
	l, err := Open(Options{Addresses: []string{address}, Shards: chaosShards, Patience: chaosPatience, Timeout: chaosTimeout})
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	out := gob.NewEncoder(os.Stdout)
	r := &run{begun: time.Now(), schedule: new(schedule), caddies: []*caddy{{Ledger: l, ledger: l}}}
	r.tell = func(op any, answer *wallet.Receipt) {
		mu.Lock()
		defer mu.Unlock()
		says := told{Op: op, At: time.Now()}
		if answer != nil {
			says.Answered, says.Receipt = true, *answer
		}
		if out.Encode(says) != nil {
			os.Exit(1) // nobody listens
		}
	}
	for _, text := range wallets {
		id, err := wallet.ParseWalletID(text)
		if err != nil {
			panic(err)
		}
		r.wallets = append(r.wallets, id)
	}
	for n := range chaosClients {
		go newClient(r, uint64(os.Getpid()), n).work()
	}
	select {}
}

// child is a process under way.
type child struct {
	*exec.Cmd
	said chan struct{} // once enough was said
	all  chan []told   // to its end
}

// startChild runs the child, and tells when so many operations are answered.
func (r *run) startChild(enough int) *child {
	r.Helper()
	c := &child{Cmd: exec.Command(os.Args[0]), said: make(chan struct{}), all: make(chan []told, 1)}
	var wallets []string
	for _, id := range r.wallets {
		wallets = append(wallets, id.String())
	}
	c.Env = append(os.Environ(), childRedis+"="+r.server.Addr(), childWallets+"="+strings.Join(wallets, " "))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { c.Process.Kill() }) // where the test has failed
	go func() { c.all <- c.listen(out, enough) }()
	return c
}

// listen reads until the end. The last thing may be cut off: it was not said.
func (c *child) listen(out io.Reader, enough int) (all []told) {
	answers := 0
	for in := gob.NewDecoder(out); ; {
		var says told
		if in.Decode(&says) != nil {
			if answers < enough {
				close(c.said)
			}
			return all
		}
		all = append(all, says)
		if says.Answered {
			if answers++; answers == enough {
				close(c.said)
			}
		}
	}
}

// bury waits for a child that was killed, and takes its deeds over.
func (r *run) bury(c *child) {
	r.Helper()
	all := <-c.all
	if err := c.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		r.Fatalf("the child ended by itself: %v", err)
	}
	deeds := make(map[wallet.OpID]*deed)
	for _, says := range all {
		id, at := idOf(says.Op), says.At.Sub(r.begun)
		d := deeds[id]
		switch {
		case d == nil:
			deeds[id] = &deed{op: says.Op, id: id, called: at}
		case !says.Answered:
			d.failed = true
		case says.Receipt.Outcome.Done() || !d.failed:
			d.receipt, d.answered, d.returned = says.Receipt, true, at
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range deeds {
		r.deeds = append(r.deeds, d)
	}
	r.answers.Add(int64(len(deeds)))
}

// A whole process is killed, as Caddy may be, alone or at the same time as Redis. What it
// has told anybody is there, and what it has not told is found out by asking again
// (invariants 5, 6); transfers that it has left between two shards arrive.
var killOfAProcess = &schedule{
	fault: "kill -9 of a process, alone and with Redis", times: 2, between: 100, begin: threeCaddys,
	breaks: func(r *run) {
		c := r.startChild(200)
		<-c.said
		if r.result.faults%2 == 1 {
			r.server.Kill()
		}
		if err := c.Process.Kill(); err != nil {
			r.Fatal(err)
		}
		r.bury(c)
		if r.server.Pid() == 0 {
			r.server.Restart()
		}
	},
}

func TestChaosAKillOfAProcessLosesAndDoublesNothing(t *testing.T) { chaos(t, killOfAProcess) }
