package redistest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// orphanDirectory tells the test binary, run again, that it is the process to be
// killed, and where its server's data goes.
const orphanDirectory = "PAYWALL_TEST_REDIS_ORPHAN"

func TestAServerEndsWithAKilledTest(t *testing.T) {
	if dir := os.Getenv(orphanDirectory); dir != "" {
		fmt.Println("server", StartIn(t, dir).Pid())
		select {}
	}
	t.Parallel()
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), orphanDirectory+"="+t.TempDir())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "server %d", &pid)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if pid == 0 {
		t.Fatal("the process to be killed started no server")
	}
	eventually(t, "the server of a killed test ends", func() error {
		if err := syscall.Kill(pid, 0); err == nil && !isZombie(pid) {
			return fmt.Errorf("process %d still runs", pid)
		}
		return nil
	})
}

// isZombie reports whether a process has ended and only waits for its parent to
// notice, which in some containers nobody does.
func isZombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	var number int
	var name string
	var state string
	_, scanned := fmt.Sscanf(string(text), "%d %s %s", &number, &name, &state)
	return err == nil && scanned == nil && state == "Z"
}
