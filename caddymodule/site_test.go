package caddymodule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"github.com/spf13/cobra"
)

// site is a Caddy of this process with a paywall, on loopback, with a data
// directory of its own. There is one at a time.
type site struct {
	*testing.T
	url   string
	admin string
	root  string // of the files it serves
}

// magazine is a site with an article at ten cents and a letter sold in tens.
const magazine = `
	paywall /articles/* 0.10 {
		title "The Lamp"
		teaser "A keeper counts ships."
	}
	paywall /research/* {
		bundle 10 10.00
		title "The Letter"
	}
	file_server

`

// startSite serves the directives of a site block, and stops when the test
// ends, after proving that the money adds up.
func startSite(t *testing.T, directives string) *site {
	t.Helper()
	return startSiteWith(t, "", directives)
}

// startSiteWith is startSite with global options.
func startSiteWith(t *testing.T, options, directives string) *site {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	s := &site{T: t, root: t.TempDir()}
	s.url, s.admin = "http://"+freeAddress(t), freeAddress(t)
	for _, path := range []string{"index.html", "articles/1", "articles/2", "articles/3", "research/1", "research/2", "research/3"} {
		s.write(path, "<!doctype html><title>"+path+"</title><p>SECRET "+path+" "+strings.Repeat("ink ", 400))
	}
	if err := s.tryLoad(options, directives); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.proveConservation()
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
		eventually(t, "every ledger is closed", func() bool { return openLedgers() == 0 })
	})
	return s
}

// eventually waits for something that another goroutine is about to do.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 10 s it is still not so that %s", what)
		}
	}
}

func openLedgers() (n int) {
	ledgers.Range(func(any, any) bool { n++; return true })
	return n
}

// load replaces the running configuration.
func (s *site) load(directives string) {
	s.Helper()
	if err := s.tryLoad("", directives); err != nil {
		s.Fatal(err)
	}
}

func (s *site) tryLoad(options, directives string) error {
	s.Helper()
	config, err := adapt(fmt.Sprintf("{\nadmin %s\n%s\n}\n%s {\nroot %s\n%s\n}", s.admin, options, s.url, s.root, directives))
	if err != nil {
		return err
	}
	defer s.awaitHandover() // one that fails may have listened for an instant
	return caddy.Load(config, true)
}

// awaitHandover waits until the configuration before has stopped listening. On
// Linux both listen on the port for an instant (SO_REUSEPORT), and a connection
// that reaches the old one as it closes is reset.
func (s *site) awaitHandover() {
	s.Helper()
	http.DefaultClient.CloseIdleConnections()
	for _, address := range []string{strings.TrimPrefix(s.url, "http://"), s.admin} {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			s.Fatal(err)
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			s.Fatal(err)
		}
		listening := regexp.MustCompile(fmt.Sprintf(`(?m)^ *\d+: [0-9A-F]{8}:%04X [0-9A-F]{8}:0000 0A `, number))
		eventually(s.T, "one configuration listens at "+address, func() bool {
			sockets, err := os.ReadFile("/proc/net/tcp") // elsewhere than on Linux there is none, and nothing to wait for
			return err != nil || len(listening.FindAll(sockets, -1)) <= 1
		})
	}
}

// loadJSON replaces the running configuration with one that is adapted already.
func (s *site) loadJSON(config []byte) {
	s.Helper()
	if err := caddy.Load(config, true); err != nil {
		s.Fatal(err)
	}
	s.awaitHandover()
}

// adapt turns a Caddyfile into the JSON of a configuration that is not saved.
func adapt(caddyfile string) ([]byte, error) {
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(config, &tree); err != nil {
		return nil, err
	}
	admin, _ := tree["admin"].(map[string]any)
	if admin == nil {
		admin = map[string]any{"disabled": true}
		tree["admin"] = admin
	}
	admin["config"] = map[string]any{"persist": false}
	tree["logging"] = map[string]any{"logs": map[string]any{"default": map[string]any{"level": "PANIC"}}}
	return json.Marshal(tree)
}

// freeAddress is an address of this machine that nobody listens at, and that no
// other call has returned: Caddy's listeners share ports, so that two that got
// the same one would answer in turns.
func freeAddress(t testing.TB) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, given := givenAddresses.LoadOrStore(address, true); !given {
			return address
		}
	}
}

var givenAddresses sync.Map

func (s *site) write(path, text string) {
	s.Helper()
	path = filepath.Join(s.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
}

// operator runs caddy paywall with the arguments and returns what it prints.
func (s *site) operator(args ...string) string {
	s.Helper()
	out, err := s.tryOperator(args...)
	if err != nil {
		s.Fatalf("caddy paywall %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (s *site) tryOperator(args ...string) (string, error) {
	root := &cobra.Command{Use: appName, SilenceErrors: true, SilenceUsage: true}
	paywallCommand(root)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(io.Discard)
	root.SetArgs(append([]string{"--address", s.admin}, args...))
	err := root.Execute()
	return out.String(), err
}

// voucher is the code of a new voucher.
func (s *site) voucher(value string) string {
	s.Helper()
	var made []newVoucher
	s.decode([]byte(s.operator("voucher", "create", "--value", value, "--json")), &made)
	return made[0].Code
}

func (s *site) decode(text []byte, into any) {
	s.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		s.Fatalf("%v in %s", err, text)
	}
}

// proveConservation has the books recomputed from the journal (invariants 1, 2
// and 7).
func (s *site) proveConservation() {
	s.Helper()
	out, err := s.tryOperator("verify")
	for n := 0; err != nil && strings.Contains(err.Error(), "503") && n < 50; n++ {
		time.Sleep(100 * time.Millisecond) // a ledger on its way back
		out, err = s.tryOperator("verify")
	}
	if err != nil {
		s.Errorf("verify: %v\n%s", err, out)
	}
}

// kept is the text of a file that the paywall keeps in its data directory.
func (s *site) kept(name string) string {
	s.Helper()
	text, err := os.ReadFile(dataPath(name))
	if err != nil {
		s.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// runningApp is the app of the running configuration.
func runningApp(t *testing.T) *App {
	t.Helper()
	app, err := caddy.ActiveContext().AppIfConfigured(appName)
	if err != nil {
		t.Fatal(err)
	}
	return app.(*App)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
