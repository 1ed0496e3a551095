package redistest

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// impatient gives up sooner than anything here takes to be healed.
const impatient = 200 * time.Millisecond

// dial is one connection, on which a test sees what happens to it.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// exchange sends a command on a connection and returns what comes back at once.
func exchange(connection net.Conn, command string) (string, error) {
	if _, err := io.WriteString(connection, command+"\r\n"); err != nil {
		return "", err
	}
	return receive(connection)
}

func receive(connection net.Conn) (string, error) {
	_ = connection.SetReadDeadline(time.Now().Add(impatient))
	answer := make([]byte, 100)
	n, err := connection.Read(answer)
	return strings.TrimSpace(string(answer[:n])), err
}

func mustAnswer(t *testing.T, connection net.Conn) {
	t.Helper()
	if answer, err := exchange(connection, "PING"); err != nil || answer != "+PONG" {
		t.Fatalf("the server answers %q, %v", answer, err)
	}
}

// isOver says what is missing until a connection is closed.
func isOver(connection net.Conn) error {
	if _, err := exchange(connection, "PING"); err == nil || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		return errors.Join(errors.New("the connection goes on"), err)
	}
	return nil
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

func TestACutProxyClosesConnectionsAndRefusesNewOnesUntilHealed(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	connection := dial(t, p.Addr())
	mustAnswer(t, connection)
	p.Cut()
	eventually(t, "the connection is closed", func() error { return isOver(connection) })
	if _, err := net.Dial("tcp", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection: %v", err)
	}
	p.Cut()
	p.Heal()
	mustAnswer(t, dial(t, p.Addr()))
}

func TestAHalfOpenProxyKeepsConnectionsAndSaysNothing(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	before := dial(t, p.Addr())
	mustAnswer(t, before)
	p.HalfOpen()
	p.HalfOpen()
	after := dial(t, p.Addr())
	for what, connection := range map[string]net.Conn{"an old": before, "a new": after} {
		if answer, err := exchange(connection, "INCR requests"); !isTimeout(err) {
			t.Errorf("%s connection has %q, %v", what, answer, err)
		}
	}
	p.Heal()
	eventually(t, "the silent connection is closed", func() error { return isOver(before) })
	mustAnswer(t, dial(t, p.Addr()))
	if got := ask(t, s, "EXISTS", "requests"); got != int64(0) {
		t.Error("a request has come through")
	}
}

func TestAnAnswerUnderWayIsLostInAHalfOpenProxy(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	connection := dial(t, p.Addr())
	mustAnswer(t, connection)
	s.Pause()
	if _, err := exchange(connection, "INCR requests"); !isTimeout(err) {
		t.Fatalf("a paused server: %v", err)
	}
	p.HalfOpen()
	s.Resume()
	if answer, err := receive(connection); !isTimeout(err) {
		t.Errorf("the connection has %q, %v", answer, err)
	}
	if got := ask(t, s, "GET", "requests"); got != "1" {
		t.Errorf("the server has executed %v", got)
	}
}

func TestAResettingProxyResetsWhoeverSends(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	before := dial(t, p.Addr())
	mustAnswer(t, before)
	p.Reset()
	eventually(t, "the old connection is closed", func() error { return isOver(before) })
	if _, err := exchange(dial(t, p.Addr()), "INCR requests"); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a new connection: %v", err)
	}
	p.Heal()
	mustAnswer(t, dial(t, p.Addr()))
	if got := ask(t, s, "EXISTS", "requests"); got != int64(0) {
		t.Error("a request has come through")
	}
}

func TestADelayingProxyIsLateAndLosesNothing(t *testing.T) {
	t.Parallel()
	s := Start(t)
	p := NewProxy(t, s.Addr())
	connection := dial(t, p.Addr())
	mustAnswer(t, connection)
	const late = 100 * time.Millisecond
	p.Delay(late, 0)
	if took := timed(func() { mustAnswer(t, connection) }); took < late {
		t.Errorf("the answer took %v, want %v at least", took, late)
	}
	p.Delay(late/2, late/10)
	if took := timed(func() { mustAnswer(t, connection) }); took < late/2-late/10 {
		t.Errorf("the answer took %v", took)
	}
	p.Heal()
	quickest := late
	for range 20 {
		quickest = min(quickest, timed(func() { mustAnswer(t, connection) }))
	}
	if quickest >= late/2-late/10 {
		t.Errorf("a healed proxy takes %v at least", quickest)
	}
}

func timed(do func()) time.Duration {
	begin := time.Now()
	do()
	return time.Since(begin)
}

// Whatever the faults and however busy the connections, a healed proxy works and
// a proxy that has ended leaves nothing behind.
func TestAProxyUnderLoadHealsFromEveryFaultAndLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("load", func(t *testing.T) {
		s := Start(t)
		p := NewProxy(t, s.Addr())
		client := redis.NewClient(&redis.Options{Addr: p.Addr(), MaxRetries: -1, ReadTimeout: impatient / 4})
		t.Cleanup(func() { _ = client.Close() })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		const callers = 8
		for range callers {
			go func() {
				for ctx.Err() == nil {
					_ = client.Incr(ctx, "requests").Err()
				}
				ended <- struct{}{}
			}()
		}
		for range 5 {
			for _, fault := range []func(){p.Cut, p.HalfOpen, p.Reset, func() { p.Delay(time.Millisecond, 0) }, p.HalfOpen} {
				fault()
				p.Heal()
				eventually(t, "a healed proxy passes requests on", func() error { return client.Ping(t.Context()).Err() })
			}
		}
		cancel()
		for range callers {
			<-ended
		}
	})
}
