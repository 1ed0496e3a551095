package local

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// A ledger without its directory would acknowledge what nobody will ever find
// (invariant 5).
func TestALedgerWithoutItsDirectoryStops(t *testing.T) {
	for name, take := range map[string]func(dir string) error{
		"moved":   func(dir string) error { return os.Rename(dir, dir+".away") },
		"removed": os.RemoveAll,
		"emptied": func(dir string) error { return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)) },
		"replaced": func(dir string) error {
			if err := os.Rename(dir, dir+".away"); err != nil {
				return err
			}
			other, err := Open(Options{Dir: dir})
			if err != nil {
				return err
			}
			return other.Close()
		},
		"without its journal": func(dir string) error { return os.Remove(filepath.Join(dir, segmentName(0))) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ledger")
			l, err := Open(Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(Find(dir), l.Intact()); err != nil {
				t.Fatalf("while it is there: %v", err)
			}
			if err := take(dir); err != nil {
				t.Fatal(err)
			}
			if err := l.Intact(); !errors.Is(err, wallet.ErrStopped) || !strings.Contains(err.Error(), dir) {
				t.Errorf("Intact says %v, want ErrStopped and where", err)
			}
			if _, err := l.Standing(t.Context(), wallet.StandingQuery{}); !errors.Is(err, wallet.ErrStopped) {
				t.Errorf("a question is answered %v, want ErrStopped", err)
			}
			if err := Find(dir); (err == nil) != (name == "replaced") {
				t.Errorf("Find says %v", err)
			}
			_ = l.Close() // says again why it has stopped
			if names, err := filepath.Glob(filepath.Join(dir, "snapshot*")); err != nil || len(names) > 0 {
				t.Errorf("on closing it has left %v, %v", names, err)
			}
		})
	}
}

// Put back, it is the ledger that it was.
func TestALedgerWhoseDirectoryIsPutBackIsFound(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	l, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	if err := l.Intact(); err == nil {
		t.Fatal("it is not missed")
	}
	_ = l.Close() // says again why it has stopped
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	if err := Find(dir); err != nil {
		t.Fatal(err)
	}
	l, err = Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Intact(), l.Close()); err != nil {
		t.Error(err)
	}
}
