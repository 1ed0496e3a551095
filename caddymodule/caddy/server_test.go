package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	startTimeout   = 20 * time.Second
	commandTimeout = 20 * time.Second
)

// server is the built program, serving a site of its own out of a data
// directory of its own, as a process that can be killed.
type server struct {
	*testing.T
	program string
	url     string // of the site
	admin   string // address of its admin endpoint
	home    string
	config  string // path of its Caddyfile
	output  transcript

	process *exec.Cmd // nil: not running
	exited  chan struct{}
}

// newServer prepares a server; start starts it. caddyfile gets the port of the
// site and the address of the admin endpoint. When the test ends the server is
// killed, and shown if the test has failed.
func newServer(t *testing.T, caddyfile func(port, admin string) string) *server {
	t.Helper()
	port := freePort(t)
	s := &server{
		T: t, program: program(t), home: t.TempDir(),
		url: "http://localhost:" + port, admin: "127.0.0.1:" + freePort(t),
	}
	s.config = filepath.Join(s.home, "Caddyfile")
	if err := os.WriteFile(s.config, []byte(caddyfile(port, s.admin)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.process != nil {
			s.kill()
		}
		if t.Failed() {
			t.Logf("the server printed:\n%s", s.output.String())
		}
	})
	return s
}

// freePort is a port that nobody listens on. It is below the range from which
// systems take the ports of clients (RFC 6335 §6), so that none of ours gets
// the one of a server that is down.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := fmt.Sprint(20000 + rand.IntN(12000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port between 20000 and 32000")
	return ""
}

// start starts the program and returns when the site answers.
func (s *server) start() {
	s.Helper()
	s.launch()
	client := &http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(startTimeout); ; {
		select {
		case <-s.exited:
			s.Fatalf("the server has ended: %v", s.process.ProcessState)
		case <-time.After(5 * time.Millisecond):
		}
		answer, err := client.Get(s.url + "/")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			s.Fatalf("the site does not answer after %v: %v", startTimeout, err)
		}
	}
}

// launch starts the program and does not wait for anything.
func (s *server) launch() {
	s.Helper()
	process := exec.Command(s.program, "run", "--config", s.config, "--adapter", "caddyfile")
	process.Env, process.Stdout, process.Stderr = s.environment(), &s.output, &s.output
	if err := process.Start(); err != nil {
		s.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = process.Wait() // how it ended is in its ProcessState
		close(exited)
	}()
	s.process, s.exited = process, exited
}

// kill ends the process as kill -9 does, and returns when it is gone.
func (s *server) kill() {
	s.Helper()
	_ = s.process.Process.Kill() // it may have ended by itself, which start or a client tells
	<-s.exited
	s.process = nil
}

// environment is the least that the program needs; above all it is nobody
// else's data directory.
func (s *server) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.home,
		"XDG_DATA_HOME=" + filepath.Join(s.home, "data"), "XDG_CONFIG_HOME=" + filepath.Join(s.home, "config"),
	}
}

// operator runs caddy paywall with the arguments, and decodes the JSON that it
// prints.
func (s *server) operator(into any, args ...string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, s.program, append([]string{"paywall", "--json", "--address", s.admin}, args...)...)
	command.Env = s.environment()
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		s.Fatalf("caddy paywall %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	if err := json.Unmarshal(out, into); err != nil {
		s.Fatalf("caddy paywall %s prints no JSON: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// vouchers are the codes of new vouchers.
func (s *server) vouchers(value string, count int) (codes []string) {
	s.Helper()
	var made []struct{ Code string }
	s.operator(&made, "voucher", "create", "--value", value, "--count", fmt.Sprint(count))
	for _, voucher := range made {
		codes = append(codes, voucher.Code)
	}
	return codes
}

// audit is what caddy paywall verify finds.
type audit struct {
	OK          bool
	Sum         string
	Available   string
	Site        string
	Funding     string
	Entries     int
	Wallets     int
	Differences []any
}

// verify has every balance recomputed from the journal (invariants 1 and 7).
func (s *server) verify() (found audit) {
	s.Helper()
	s.operator(&found, "verify")
	if !found.OK || found.Sum != "0.00" || len(found.Differences) > 0 {
		s.Fatalf("invariants 1 and 7: the money does not add up: %+v", found)
	}
	return found
}

// transcript is what a process prints. It is safe for concurrent use.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
