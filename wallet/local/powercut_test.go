//go:build root && linux

package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

const cutRounds = 5

// A process charges on a disk of its own. At a random instant it is stopped, and
// the image of the disk is copied: it has what was synced, and not what is only
// in the system's memory. The copy is the disk after a power cut. All that was
// acknowledged before is on it, in its exact receipt (invariants 3, 5), and the
// books add up (invariants 1, 7). The next round goes on with the copy.
func TestOnARealDiskAPowerCutLosesNothingAcknowledged(t *testing.T) {
	image := newImage(t)
	var lines []string
	for round := range cutRounds {
		acknowledged := chargeAndCut(t, image)
		if len(acknowledged) < 100 {
			t.Fatalf("round %d: only %d charges acknowledged: too few to prove anything", round, len(acknowledged))
		}
		lines = append(lines, acknowledged...)
		disk, unmount := mountImage(t, image)
		l := openAt(t, filepath.Join(disk, "ledger"), time.Now)
		for _, line := range lines {
			checkAcknowledged(t, l, line)
		}
		sameBooks(t, l)
		ledgertest.AssertConserved(t, l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		unmount()
	}
	t.Logf("%d acknowledged charges in %d rounds", len(lines), cutRounds)
}

// The same with a ledger that acknowledges without a sync must lose something,
// or the test above proves nothing.
func TestOnARealDiskAPowerCutTellsALedgerThatDoesNotSync(t *testing.T) {
	image := newImage(t)
	lines := chargeAndCut(t, image, childLies+"=1")
	disk, unmount := mountImage(t, image)
	l, err := Open(Options{Dir: filepath.Join(disk, "ledger")})
	lost := 0
	switch {
	case errors.Is(err, wallet.ErrCorrupt):
		lost = len(lines)
	case err != nil:
		t.Fatal(err)
	default:
		for _, line := range lines {
			c, _, _ := acknowledgedCharge(t, line)
			if r, err := l.Charge(context.Background(), c); err != nil || r.Outcome != wallet.Replayed {
				lost++
			}
		}
		l.Close()
	}
	unmount()
	if lost == 0 {
		t.Fatalf("none of %d charges is lost, though none was synced", len(lines))
	}
	t.Logf("%d of %d acknowledged charges lost; Open answered %v", lost, len(lines), err)
}

// chargeAndCut runs the child on an image for a while, cuts the power, and
// returns the lines that the child has printed. The image is then what the disk
// had.
func chargeAndCut(t *testing.T, image string, env ...string) (lines []string) {
	t.Helper()
	disk, unmount := mountImage(t, image)
	child := exec.Command(os.Args[0])
	child.Env = append(append(os.Environ(), childDirectory+"="+filepath.Join(disk, "ledger")), env...)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill() }) // where the test has failed
	first, all := make(chan struct{}), make(chan []string)
	go func() { all <- linesOf(bufio.NewReader(out), first) }()
	<-first
	time.Sleep(50*time.Millisecond + rand.N(250*time.Millisecond))
	stop(t, child.Process.Pid)
	cut := image + ".cut"
	copyFile(t, image, cut)
	if err := child.Process.Kill(); err != nil { // a stopped process prints no more
		t.Fatal(err)
	}
	lines = <-all
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child ended by itself: %v", err)
	}
	unmount()
	if err := os.Rename(cut, image); err != nil {
		t.Fatal(err)
	}
	return lines
}

// linesOf reads whole lines to the end, and tells when there is the first, or
// none.
func linesOf(from *bufio.Reader, first chan<- struct{}) (lines []string) {
	for {
		line, err := from.ReadString('\n')
		if err == nil {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
		if first != nil {
			close(first)
			first = nil
		}
		if err != nil {
			return lines
		}
	}
}

// stop halts a process and returns when each of its threads stands still: one in
// the middle of a sync ends it first.
func stop(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("the child's threads: %v, %v", threads, err)
		}
		running := 0
		for _, path := range threads {
			stat, err := os.ReadFile(path)
			if _, state, found := strings.Cut(string(stat), ") "); err == nil && found && state[0] != 'T' {
				running++
			}
		}
		switch {
		case running == 0:
			return
		case time.Now().After(deadline):
			t.Fatalf("%d threads of the child do not stop", running)
		}
	}
}
