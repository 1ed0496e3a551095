package redistest

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// program finds an installed program. A test that cannot run fails.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("this test needs %s, which is not installed: on Debian, apt-get install redis-server; elsewhere see https://redis.io/docs/latest/operate/oss_and_stack/install/", name)
	}
	return path
}

// process is a program that was started.
type process struct {
	*os.Process
	// ended is closed when the process is gone and its files are closed.
	ended chan struct{}
}

// start starts a program that writes to log. The goroutine that starts it also
// waits for it and keeps its thread until then, because the system takes the
// end of the thread that started a process for the end of its parent.
func start(path string, args []string, log *os.File) (*process, error) {
	command := exec.Command(path, args...) //nolint:gosec // a test starts the server it has found
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = alone()
	started := make(chan error)
	ended := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := command.Start()
		started <- err
		if err == nil {
			_ = command.Wait() // it always ends by a signal
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return &process{command.Process, ended}, nil
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}
