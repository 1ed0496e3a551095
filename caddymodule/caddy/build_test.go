package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// buildFlags are those of make build and of xcaddy, so that all three share one
// build cache.
var buildFlags = []string{"-trimpath", "-tags", "nobadger,nomysql,nopgx", "-ldflags", "-w -s"}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := removeProgram(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// programDir is where the program under test is, once it has been built.
var programDir string

func removeProgram() error {
	if programDir == "" {
		return nil
	}
	return os.RemoveAll(programDir)
}

// program is the path of the program under test.
func program(t *testing.T) string {
	t.Helper()
	path, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// buildOnce builds the program as it is shipped. It has no race detector even
// where this test has one: the tests beside the code have it.
var buildOnce = sync.OnceValues(func() (path string, err error) {
	if programDir, err = os.MkdirTemp("", "paywall-"); err != nil {
		return "", err
	}
	path = filepath.Join(programDir, "caddy")
	build := exec.Command("go", append(append([]string{"build"}, buildFlags...), "-o", path, ".")...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
})
