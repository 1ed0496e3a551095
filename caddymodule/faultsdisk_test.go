package caddymodule

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ledgerDir is a directory for a ledger, and the option that puts it there.
func ledgerDir(t *testing.T) (dir, options string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "ledger")
	return dir, "paywall {\nledger local " + dir + "\n}"
}

// journalOf is the path of the first file of a ledger's journal.
func journalOf(dir string) string { return filepath.Join(dir, "journal-0000000000000000") }

// damage flips a byte of the journal's first frame, which others follow.
func damage(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(journalOf(dir))
	if err != nil {
		t.Fatal(err)
	}
	text[100] ^= 1
	if err := os.WriteFile(journalOf(dir), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// copyDir makes a copy of a ledger's directory, as a backup would.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func wantsNoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Money that is gone for a while is not replaced by none: what was paid for can
// be read again once the directory is back (invariants 4 and 5).
func TestALedgerWhoseDirectoryIsMovedAwayAndBack(t *testing.T) {
	dir, options := ledgerDir(t)
	s := startLogged(t, options, magazine)
	m := s.machine("1.00")
	reader, _ := s.reads("/articles/1")
	m.get("/articles/1").wants(http.StatusOK)
	takeLog()
	wantsNoError(t, os.Rename(dir, dir+".away"))
	eventually(t, "it is missed", func() bool { return strings.Contains(paywallLog(), "put "+dir+" back") })
	m.wantsDown("/articles/1")
	m.wantsDown("/articles/2")
	reader.get("/articles/1").wants(http.StatusOK).says("SECRET") // with the receipt
	s.stranger().get("/articles/1").wants(http.StatusPaymentRequired)
	eventually(t, "the log says that it cannot be opened", func() bool { return strings.Contains(paywallLog(), "cannot be opened") })
	if exists(dir) {
		t.Error("another ledger has been begun in its place")
	}
	wantsNoError(t, os.Rename(dir+".away", dir))
	m.wantsBack("/articles/2", "0.10 USD")
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
	m.wantsBalance("0.80")
	wantsLogged(t, "ledger stopped", "the ledger cannot be opened", "the ledger is open again")
}

// A directory that is removed is missed, a damaged backup is refused in words,
// and a good one serves, all without a restart.
func TestALedgerWhoseDirectoryIsRemovedAndRestored(t *testing.T) {
	dir, options := ledgerDir(t)
	s := startLogged(t, options, magazine)
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	copyDir(t, dir, dir+".backup")
	takeLog()
	wantsNoError(t, os.RemoveAll(dir))
	eventually(t, "it is missed", func() bool { return strings.Contains(paywallLog(), "put "+dir+" back") })
	m.wantsDown("/articles/1")

	copyDir(t, dir+".backup", dir+".new")
	damage(t, dir+".new")
	wantsNoError(t, os.Rename(dir+".new", dir))
	eventually(t, "the damage is found", func() bool { return strings.Contains(paywallLog(), "restore the ledger from a backup") })
	m.wantsDown("/articles/1")

	wantsNoError(t, errors.Join(os.Rename(dir, dir+".damaged"), os.Rename(dir+".backup", dir)))
	m.wantsBack("/articles/1", "")
	m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	m.wantsBalance("0.80")
	wantsLogged(t, "restore the ledger from a backup", "the ledger is open again")
}

// A configuration over a damaged journal does not load, and says what to
// restore; the one that runs goes on.
func TestADamagedJournalAtTheStart(t *testing.T) {
	dir, options := ledgerDir(t)
	s := startLogged(t, options, magazine)
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	elsewhere := "paywall {\nledger local " + filepath.Join(t.TempDir(), "other") + "\n}"
	wantsNoError(t, s.tryLoad(elsewhere, magazine))
	copyDir(t, dir, dir+".backup")
	damage(t, dir)
	err := s.tryLoad(options, magazine)
	if err == nil || !strings.Contains(err.Error(), "journal-0000000000000000") || !strings.Contains(err.Error(), "restore the ledger from a backup") {
		t.Errorf("the configuration is told %v", err)
	}
	s.machine("1.00").get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	wantsNoError(t, errors.Join(os.RemoveAll(dir), os.Rename(dir+".backup", dir)))
	wantsNoError(t, s.tryLoad(options, magazine))
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
	m.wantsBalance("0.90")
}

// The journal has everything, so that a damaged snapshot costs nothing but time.
func TestADamagedSnapshotAtTheStart(t *testing.T) {
	dir, options := ledgerDir(t)
	s := startLogged(t, options, magazine)
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)
	s.load("file_server")
	eventually(t, "the ledger is closed", func() bool { return openLedgers() == 0 })
	wantsNoError(t, os.WriteFile(filepath.Join(dir, "snapshot"), []byte("not a snapshot, and long enough to be one: "+strings.Repeat("x", 4096)), 0o600))
	s.loadLogged(options, magazine)
	m.get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
	m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	m.wantsBalance("0.80")
	wantsLogged(t, "snapshot set aside")
	if !exists(filepath.Join(dir, "snapshot.broken")) {
		t.Error("the damaged snapshot is not kept for whoever wants to know why")
	}
}
