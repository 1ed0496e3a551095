package reader

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// script is a driver that runs some lines of a shell, which find a folder in $0.
func script(t *testing.T, shell ...string) (d Stream, folder string) {
	t.Helper()
	folder = t.TempDir()
	return Stream{Name: "script", Open: OpenProgram([]string{"sh", "-c", strings.Join(shell, "\n"), folder}), Frames: lines}, folder
}

// noted waits for a file that a script writes.
func noted(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil && strings.HasSuffix(string(text), "\n") {
			return strings.TrimSpace(string(text))
		}
	}
	t.Fatalf("%s is not written", path)
	return ""
}

// gone reports whether a process ends soon.
func gone(t *testing.T, id string) bool {
	t.Helper()
	number, err := strconv.Atoi(id)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if errors.Is(syscall.Kill(number, 0), syscall.ESRCH) {
			return true
		}
		if text, err := os.ReadFile(filepath.Join("/proc", id, "stat")); err == nil && strings.Contains(string(text), ") Z ") {
			return true // whoever has taken it over has not asked yet how it has ended
		}
	}
	return false
}

func TestAProgramsLinesAreCards(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	d, folder := script(t, `env > "$0/env"`, `echo 04010203040506`, `echo 04:01:02:03:04:05:07`, `echo nonsense`, `echo secret card >&2`, `exec sleep 60`)
	l := listen(t, d)
	for _, last := range []byte{6, 7} {
		if e := l.wants(t, "arrived", "script"); e.shown.UID != number(t, 4, 1, 2, 3, 4, 5, last) {
			t.Errorf("it shows %v", e.shown)
		}
		l.wants(t, "gone", "script")
	}
	l.wants(t, "unread", "script")
	if text := noted(t, filepath.Join(folder, "env")); strings.Contains(text, "hunter2") || !strings.Contains(text, "PATH=") {
		t.Errorf("its environment is %q", text)
	}
}

// A program that ends is started again, and why it has ended is told; also where something
// that it has started would hold its output.
func TestAProgramThatEndsIsStartedAgain(t *testing.T) {
	for _, c := range []struct{ ends, want string }{
		{"exit 3", "exit status 3"},
		{"sleep 60 & exit 4", "exit status 4"},
		{"exec >&-; sleep 60", "terminated"},
		{"kill -9 $$", "killed"},
	} {
		d, _ := script(t, `echo 04010203040506`, c.ends)
		l := listen(t, d)
		for range 2 {
			l.wants(t, "arrived", "script")
			l.wants(t, "gone", "script")
			if e := l.wants(t, "ill", "script"); !strings.Contains(e.err.Error(), c.want) {
				t.Errorf("of one that ends by %q is said %v", c.ends, e.err)
			}
		}
	}
	l := listen(t, Stream{Name: "script", Open: OpenProgram([]string{"/nowhere/at/all"}), Frames: lines})
	l.wants(t, "ill", "script")
}

// With the kiosk ends the program, and what it has started, also where it does not want to.
func TestAProgramEndsWithTheKiosk(t *testing.T) {
	d, folder := script(t, `trap '' TERM`, `sleep 60 &`, `echo $! > "$0/child"`, `echo $$ > "$0/self"`, `while :; do sleep 1; done`)
	var ids []string
	t.Run("kiosk", func(t *testing.T) {
		listen(t, d)
		ids = []string{noted(t, filepath.Join(folder, "self")), noted(t, filepath.Join(folder, "child"))}
	})
	for _, id := range ids {
		if !gone(t, id) {
			t.Errorf("process %s goes on", id)
		}
	}
}
