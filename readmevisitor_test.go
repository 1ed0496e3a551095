//go:build unix

package paywall_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
	"time"
)

const (
	demoTimeout   = 5 * time.Minute // to build with a cold cache and start
	scriptTimeout = time.Minute
	stopTimeout   = 10 * time.Second
)

// visitor follows a README in a directory, with a home of its own.
type visitor struct {
	*testing.T
	dir         string
	environment []string
}

func newVisitor(t *testing.T, dir string) *visitor {
	t.Helper()
	for tool, debian := range map[string]string{"bash": "bash", "make": "make", "curl": "curl", "git": "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("the README's commands need %s. On Debian, as root: apt-get install %s", tool, debian)
		}
	}
	home := t.TempDir()
	environment := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8",
		"XDG_DATA_HOME=" + home + "/data", "XDG_CONFIG_HOME=" + home + "/config",
	}
	// The Go of this machine, whose settings and caches are found by the home.
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN"} {
		environment = append(environment, name+"="+goCommand(t, "env", name))
	}
	return &visitor{t, dir, environment}
}

var voucherCode = regexp.MustCompile(`\b[0-9A-Z]{4}(-[0-9A-Z]{4}){3}\b`)

// startDemo runs a script that goes on until it is stopped, and returns when it
// has printed a voucher, which later scripts find in $VOUCHER. When the test
// ends it is stopped, with all that it started.
func (v *visitor) startDemo(script string) {
	v.Helper()
	var output transcript
	demo := v.bash(context.Background(), script)
	demo.Stdout, demo.Stderr = &output, &output
	demo.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that all it starts can be stopped with it
	if err := demo.Start(); err != nil {
		v.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = demo.Wait() // how it ended is in its ProcessState
		close(exited)
	}()
	v.Cleanup(func() {
		v.stop(demo.Process.Pid, exited)
		if v.Failed() {
			v.Logf("%s printed:\n%s", script, output.String())
		}
	})
	for deadline := time.Now().Add(demoTimeout); ; time.Sleep(20 * time.Millisecond) {
		if code := voucherCode.FindString(output.String()); code != "" {
			v.environment = append(v.environment, "VOUCHER="+code)
			return
		}
		select {
		case <-exited:
			v.Fatalf("%s has ended: %v", script, demo.ProcessState)
		default:
		}
		if time.Now().After(deadline) {
			v.Fatalf("%s has printed no voucher within %v", script, demoTimeout)
		}
	}
}

// stop ends a group of processes of which we started the first, and waits until
// all of them are gone.
func (v *visitor) stop(group int, exited <-chan struct{}) {
	v.Helper()
	_ = syscall.Kill(-group, syscall.SIGTERM) // it may have ended by itself
	for deadline := time.Now().Add(stopTimeout); syscall.Kill(-group, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			v.Errorf("the demo does not stop within %v", stopTimeout)
			_ = syscall.Kill(-group, syscall.SIGKILL)
			break
		}
	}
	<-exited
}

// follow runs a script and returns what is wrong with it or its output.
func (v *visitor) follow(b block) (complaints []string) {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.Context(), scriptTimeout)
	defer cancel()
	script := v.bash(ctx, b.script)
	var stdout, stderr bytes.Buffer
	script.Stdout, script.Stderr = &stdout, &stderr
	err := script.Run()
	shown := fmt.Sprintf("%s\n-- printed:\n%s%s", b.script, &stdout, &stderr)
	if err != nil {
		complaints = append(complaints, fmt.Sprintf("the script in line %d fails: %v\n%s", b.line, err, shown))
	}
	if b.prints == nil {
		return complaints
	}
	if wrong := difference(*b.prints, stdout.String()); wrong != "" {
		complaints = append(complaints, fmt.Sprintf("the script in line %d prints something else: %s\n%s", b.line, wrong, shown))
	}
	return complaints
}

func (v *visitor) bash(ctx context.Context, script string) *exec.Cmd {
	command := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	command.Dir, command.Env = v.dir, v.environment
	command.WaitDelay = time.Second
	return command
}
