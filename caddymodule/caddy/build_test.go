package main_test

import (
	"errors"
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

// programDir is where the programs under test are, once they have been built.
var programDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "paywall-") })

func removeProgram() error {
	dir, err := programDir()
	return errors.Join(err, os.RemoveAll(dir))
}

// program is the path of the program under test.
func program(t *testing.T) string {
	t.Helper()
	path, err := buildCaddy()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The programs are built as they are shipped. They have no race detector even
// where this test has one: the tests beside the code have it.
var (
	buildCaddy  = sync.OnceValues(func() (path string, err error) { return build("caddy", ".") })
	buildBridge = sync.OnceValues(func() (path string, err error) { return build("rfidbridge", "../../rfidbridge") })
)

func build(name, from string) (path string, err error) {
	dir, err := programDir()
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, name)
	build := exec.Command("go", append(append([]string{"build"}, buildFlags...), "-o", path, from)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
}
