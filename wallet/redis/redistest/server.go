package redistest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Server is one process of redis-server. Its methods are safe for concurrent
// use; what goes wrong fails the test it was started for.
type Server struct {
	t        testing.TB
	dir      string
	port     int
	addr     string
	password string
	program  string
	args     []string
	version  string
	client   *redis.Client

	mu      sync.Mutex
	process *process
}

const (
	configFile = "redis.conf"
	logFile    = "redis.log"
)

// Start runs a server in a new directory. Each config is a line of its
// configuration, such as "appendfsync everysec", and comes after the defaults.
func Start(t testing.TB, config ...string) *Server {
	t.Helper()
	return StartIn(t, t.TempDir(), config...)
}

// StartIn runs a server on the data in dir, which may be what another server has
// left there, or a copy of it.
func StartIn(t testing.TB, dir string, config ...string) *Server {
	t.Helper()
	return startServer(t, dir, append(durable[:len(durable):len(durable)], config...))
}

// startServer runs a server with exactly this configuration, and with args
// behind the name of the file that has it.
func startServer(t testing.TB, dir string, config []string, args ...string) *Server {
	t.Helper()
	path := program(t, "redis-server")
	port := freePort(t)
	file := filepath.Join(dir, configFile)
	lines := append(everywhere(port, dir), config...)
	text := []byte(strings.Join(lines, "\n") + "\n")
	if err := os.WriteFile(file, text, 0o600); err != nil { //nolint:gosec // where the test says
		t.Fatal(err)
	}
	s := &Server{
		t:        t,
		dir:      dir,
		port:     port,
		addr:     address(port),
		password: valueOf("requirepass", config),
		program:  path,
		args:     append([]string{file}, args...),
	}
	s.client = newClient(s.addr, s.password)
	t.Cleanup(func() {
		s.Kill()
		_ = s.client.Close()
	})
	s.Restart()
	version, err := s.info("server", "redis_version")
	if err != nil {
		t.Fatalf("which Redis this is: %v", err)
	}
	s.version = version
	t.Logf("Redis %s at %s", s.version, s.addr)
	return s
}

// Addr is the server's host and port.
func (s *Server) Addr() string { return s.addr }

// Dir is where the server's data lies, its configuration and its log.
func (s *Server) Dir() string { return s.dir }

// Version is the server's version, such as "7.0.15".
func (s *Server) Version() string { return s.version }

// Pid is the process id, 0 while no process runs.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil || s.process.hasEnded() {
		return 0
	}
	return s.process.Pid
}

// Kill ends the server with SIGKILL, and what it may be writing in the background,
// and returns when it is gone.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.process.killGroup()
		s.process = nil
	}
}

// Restart starts the server again on what it has left, at the same address, and
// returns when it has loaded everything and answers. A server that still runs is
// killed first.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	p := s.launch()
	eventually(s.t, "Redis at "+s.addr+" answers", func() error {
		if p.hasEnded() {
			s.t.Fatalf("Redis at %s has ended; it says:\n%s", s.addr, s.lastWords())
		}
		return s.ping()
	})
}

// ping asks a server that may not listen yet. The client would write of each
// connection that was refused on standard error.
func (s *Server) ping() error {
	connection, err := net.Dial("tcp", s.addr)
	if err != nil {
		return err
	}
	_ = connection.Close()
	return s.client.Ping(context.Background()).Err()
}

func (s *Server) launch() *process {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	log, err := os.OpenFile(filepath.Join(s.dir, logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close() // the process has its own
	s.process, err = start(s.program, s.args, log)
	if err != nil {
		s.t.Fatalf("starting Redis: %v", err)
	}
	return s.process
}

// lastWords is the end of the server's log.
func (s *Server) lastWords() string {
	const enough = 2000
	text, err := os.ReadFile(filepath.Join(s.dir, logFile))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-enough):])
}

// Pause stops the process where it is: its connections stay, and nothing
// answers.
func (s *Server) Pause() {
	s.t.Helper()
	s.signal("pausing", (*process).pause)
}

// Resume lets a paused process go on.
func (s *Server) Resume() {
	s.t.Helper()
	s.signal("resuming", (*process).resume)
}

func (s *Server) signal(what string, send func(*process) error) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		s.t.Fatalf("%s Redis at %s: it does not run", what, s.addr)
	}
	if err := send(s.process); err != nil {
		s.t.Fatalf("%s Redis at %s: %v", what, s.addr, err)
	}
}
