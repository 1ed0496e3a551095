package caddymodule

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// holdEnv names the directory that this test binary, run by itself as another
// process, holds the ledger of until its standard input ends.
const holdEnv = "PAYWALL_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdEnv); dir != "" {
		os.Exit(holdLedger(dir))
	}
	os.Exit(m.Run())
}

func holdLedger(dir string) int {
	ledger, err := (&LocalLedger{Dir: dir}).OpenLedger(nil, false)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("holding")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := ledger.Close(); err != nil {
		return 1
	}
	return 0
}

func TestASecondProcessOnOneLedgerIsToldWhatToDo(t *testing.T) {
	dir := t.TempDir()
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), holdEnv+"="+dir)
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, len("holding"))
	if _, err := io.ReadFull(stdout, said); err != nil || string(said) != "holding" {
		t.Fatalf("the other process says %q, %v", said, err)
	}
	s := startSite(t, magazine)
	options := "paywall {\nledger local " + dir + "\n}"
	err = s.tryLoad(options, magazine)
	if err == nil || !strings.Contains(err.Error(), wallet.ErrInUse.Error()) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "ledger local <dir>") {
		t.Errorf("the second is told %v", err)
	}
	s.machine("1.00").get("/articles/1").wants(http.StatusOK) // the running one goes on
	if err := errors.Join(stdin.Close(), other.Wait()); err != nil {
		t.Fatal(err)
	}
	if err := s.tryLoad(options, magazine); err != nil {
		t.Errorf("after the other has ended: %v", err)
	}
}
