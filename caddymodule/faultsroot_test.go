//go:build root && linux

package caddymodule

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Real file systems that run full, become read-only and go away, under a real
// Caddy. Mounting them takes root.

// mustRun runs a command of the system.
func mustRun(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// mountedDir is a directory on a file system of its own, for a ledger, and the
// option that puts it there. It is unmounted after the site of the test has
// stopped.
func mountedDir(t *testing.T, mount ...string) (at, dir, options string) {
	t.Helper()
	at = t.TempDir()
	mustRun(t, "mount", append(mount, at)...)
	t.Cleanup(func() { mustRun(t, "umount", at) })
	dir = filepath.Join(at, "ledger")
	return at, dir, "paywall {\nledger local " + dir + "\n}"
}

// fill takes all the room of a file system, but for what rest names.
func fill(t *testing.T, at string) (filler string) {
	t.Helper()
	filler = filepath.Join(at, "filler")
	f, err := os.Create(filler)
	wantsNoError(t, err)
	defer f.Close()
	for block := make([]byte, 4096); ; {
		if _, err := f.Write(block); err != nil {
			return filler
		}
	}
}

// longPages sells pages whose names take room in the journal.
const longPages = "paywall /articles/* 0.01\nrespond \"SECRET {path}\""

func longPage(i int) string { return fmt.Sprintf("/articles/%d-%s", i, strings.Repeat("x", 900)) }

// buyUntilFull buys pages until the ledger stops, and returns how many.
func buyUntilFull(m *visitor) (bought int) {
	m.Helper()
	for ; bought < 4000; bought++ {
		a := m.get(longPage(bought))
		if a.StatusCode == http.StatusServiceUnavailable {
			a.wantsHeader("Retry-After", "5").saysNot("SECRET")
			return bought
		}
		a.wants(http.StatusOK).says("SECRET").wantsHeader("Paywall-Charged", "0.01 USD")
	}
	m.Fatal("the disk does not run full")
	return 0
}

// A disk that runs full, is made read-only meanwhile, and has room again: 503
// until then, and every page is paid for once (invariants 3 to 6).
func TestALedgerOnADiskThatRunsFullAndIsReadOnly(t *testing.T) {
	at, dir, options := mountedDir(t, "-t", "tmpfs", "-o", "size=4m", "tmpfs")
	s := startLogged(t, options, longPages)
	m := s.machine("50.00")
	filler := fill(t, at)
	bought := buyUntilFull(m)
	m.wantsDown(longPage(bought))
	m.wantsDown(longPage(0))
	s.stranger().get(longPage(0)).wants(http.StatusPaymentRequired)
	eventually(t, "the log says what to do", func() bool {
		return strings.Contains(paywallLog(), "the ledger cannot be opened") && strings.Contains(paywallLog(), "free space on the disk of "+dir)
	})

	mustRun(t, "mount", "-o", "remount,ro", at)
	eventually(t, "the log says what to do", func() bool {
		return strings.Contains(paywallLog(), "mount the disk of "+dir+" for writing")
	})
	m.wantsDown(longPage(bought))

	mustRun(t, "mount", "-o", "remount,rw", at)
	wantsNoError(t, os.Remove(filler))
	eventually(t, "it is open again", func() bool { return strings.Contains(paywallLog(), "the ledger is open again") })
	// The last one may have been paid for: its frame may have been whole.
	charged := m.get(longPage(bought)).wants(http.StatusOK).says("SECRET").Header.Get("Paywall-Charged")
	for _, i := range []int{0, bought / 2, bought} {
		m.get(longPage(i)).wants(http.StatusOK).wantsHeader("Paywall-Charged", "")
	}
	m.get(longPage(bought+1)).wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.01 USD")
	m.wantsBalance(fmt.Sprintf("%d.%02d", (5000-bought-2)/100, (5000-bought-2)%100))
	wantsLogged(t, "ledger stopped", "mount the disk of "+dir+" for writing", "the ledger is open again")
	t.Logf("%d pages were bought; the one that failed was charged afterwards: %q", bought, charged)
}

// A paywall that could not take money does not start.
func TestAReadOnlyDirectoryAtTheStart(t *testing.T) {
	at, dir, options := mountedDir(t, "-t", "tmpfs", "-o", "size=4m", "tmpfs")
	s := startSite(t, magazine)
	m := s.machine("1.00")
	mustRun(t, "mount", "-o", "remount,ro", at)
	if err := s.tryLoad(options, magazine); err == nil || !strings.Contains(err.Error(), "mount the disk of "+dir+" for writing") {
		t.Errorf("the configuration is told %v", err)
	}
	m.get("/articles/1").wants(http.StatusOK)
	mustRun(t, "mount", "-o", "remount,rw", at)
	filler := fill(t, at)
	if err := s.tryLoad(options, magazine); err == nil || !strings.Contains(err.Error(), "free space on the disk of "+dir) {
		t.Errorf("the configuration is told %v", err)
	}
	m.get("/articles/1").wants(http.StatusOK)
	wantsNoError(t, os.Remove(filler))
	wantsNoError(t, s.tryLoad(options, magazine))
	s.machine("1.00").get("/articles/1").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
}

// A file system with an error that the kernel makes read-only under the ledger,
// is unmounted and comes back: an empty mount point is not taken for a ledger
// without money.
func TestALedgerOnAFileSystemWithAnError(t *testing.T) {
	image := filepath.Join(t.TempDir(), "image")
	wantsNoError(t, os.WriteFile(image, nil, 0o600))
	wantsNoError(t, os.Truncate(image, 32<<20))
	mustRun(t, "mkfs.ext4", "-q", image)
	mount := []string{"-o", "loop,errors=remount-ro", image}
	at, dir, options := mountedDir(t, mount...)
	s := startLogged(t, options, magazine)
	m := s.machine("1.00")
	m.get("/articles/1").wants(http.StatusOK)

	device, err := exec.Command("findmnt", "-n", "-o", "SOURCE", at).Output()
	wantsNoError(t, err)
	name := filepath.Base(strings.TrimSpace(string(device)))
	wantsNoError(t, os.WriteFile("/sys/fs/ext4/"+name+"/trigger_fs_error", []byte("the test's"), 0o200))
	m.wantsDown("/articles/2")
	m.wantsDown("/articles/1")
	eventually(t, "the log says what to do", func() bool {
		return strings.Contains(paywallLog(), "the ledger cannot be opened") && strings.Contains(paywallLog(), "mount the disk of "+dir+" for writing")
	})

	mustRun(t, "umount", at)
	eventually(t, "the log says what to do", func() bool { return strings.Contains(paywallLog(), "put "+dir+" back, or mount its disk") })
	m.wantsDown("/articles/1")
	if exists(dir) {
		t.Error("a ledger has been begun on the disk below")
	}
	mustRun(t, "mount", append(mount, at)...)
	m.wantsBack("/articles/1", "")
	m.get("/articles/2").wants(http.StatusOK).wantsHeader("Paywall-Charged", "0.10 USD")
	m.wantsBalance("0.80")
	wantsLogged(t, "ledger stopped", "the ledger is open again")
}
