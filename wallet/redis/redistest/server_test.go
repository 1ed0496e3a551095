package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// ask sends a command that must succeed.
func ask(t *testing.T, s *Server, args ...any) any {
	t.Helper()
	answer, err := s.Do(args...)
	if err != nil {
		t.Fatalf("%v at %s: %v", args, s.Addr(), err)
	}
	return answer
}

func TestAKilledServerComesBackWithWhatItWasTold(t *testing.T) {
	t.Parallel()
	s := Start(t)
	ask(t, s, "SET", "balance", "12.00")
	addr, pid := s.Addr(), s.Pid()
	s.Kill()
	if answer, err := s.Do("PING"); err == nil {
		t.Errorf("a killed server answers %v", answer)
	}
	if got := s.Pid(); got != 0 {
		t.Errorf("a killed server has the process id %d", got)
	}
	s.Restart()
	if got := ask(t, s, "GET", "balance"); got != "12.00" {
		t.Errorf("after a kill the balance is %v", got)
	}
	if s.Addr() != addr || s.Pid() == pid || s.Pid() == 0 {
		t.Errorf("it was process %d at %s and is %d at %s", pid, addr, s.Pid(), s.Addr())
	}
}

func TestAServerSyncsBeforeItAnswersAndEvictsNothing(t *testing.T) {
	t.Parallel()
	s := Start(t)
	for directive, want := range map[string]string{
		"appendonly": "yes", "appendfsync": "always", "save": "", "maxmemory-policy": "noeviction", "bind": "127.0.0.1",
	} {
		if got := setting(t, s, directive); got != want {
			t.Errorf("%s is %q, want %q", directive, got, want)
		}
	}
	if !strings.Contains(s.Version(), ".") {
		t.Errorf("the version is %q", s.Version())
	}
}

func setting(t *testing.T, s *Server, directive string) string {
	t.Helper()
	return fmt.Sprint(ask(t, s, "CONFIG", "GET", directive).(map[any]any)[directive])
}

func TestATestsOwnConfigurationHolds(t *testing.T) {
	t.Parallel()
	s := Start(t, "appendfsync everysec", "requirepass secret")
	if got := setting(t, s, "appendfsync"); got != "everysec" {
		t.Errorf("appendfsync is %q", got)
	}
	s.Restart()
	if got := setting(t, s, "appendfsync"); got != "everysec" {
		t.Errorf("after a restart appendfsync is %q", got)
	}
}

func TestAServerStartsOnACopyOfWhatAnotherHasWritten(t *testing.T) {
	t.Parallel()
	original := Start(t)
	ask(t, original, "SET", "balance", "12.00")
	dir := filepath.Join(t.TempDir(), "a copy")
	if err := os.CopyFS(dir, os.DirFS(original.Dir())); err != nil {
		t.Fatal(err)
	}
	ask(t, original, "SET", "balance", "11.90")
	duplicate := StartIn(t, dir)
	if got := ask(t, duplicate, "GET", "balance"); got != "12.00" {
		t.Errorf("the copy has %v", got)
	}
	if duplicate.Addr() == original.Addr() || duplicate.Dir() != dir {
		t.Errorf("the copy runs at %s in %s", duplicate.Addr(), duplicate.Dir())
	}
}

func TestAPausedServerAnswersOnceItIsResumed(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Pause()
	answered := make(chan error, 1)
	go func() {
		_, err := s.Do("PING")
		answered <- err
	}()
	connection, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatalf("a paused server takes no connections: %v", err)
	}
	defer connection.Close()
	select {
	case err := <-answered:
		t.Fatalf("a paused server answered: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	s.Resume()
	if err := <-answered; err != nil {
		t.Errorf("a resumed server answers %v", err)
	}
}

// recorder is a test that keeps why it failed.
type recorder struct {
	testing.TB
	failed chan string
}

func (r recorder) Fatalf(format string, args ...any) {
	r.failed <- fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestAMissingServerFailsTheTestAndSaysWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	failed := make(chan string, 1)
	go Start(recorder{t, failed})
	if why := <-failed; !strings.Contains(why, "redis-server, which is not installed") || !strings.Contains(why, "apt-get install") {
		t.Errorf("it says %q", why)
	}
}

func TestAServerThatRefusesItsConfigurationSaysWhy(t *testing.T) {
	t.Parallel()
	failed := make(chan string, 1)
	go Start(recorder{t, failed}, "no-such-directive yes")
	if why := <-failed; !strings.Contains(why, "no-such-directive") {
		t.Errorf("it says %q", why)
	}
}
