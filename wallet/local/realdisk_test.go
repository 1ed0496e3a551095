//go:build root && linux

package local

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// The tests that begin with TestOnARealDisk mount file systems, and so run as
// root, with the build tag of that name. They need e2fsprogs and mount.

// command runs a program that must succeed.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// mountAt mounts something on a new directory until the test ends, or unmount is
// called.
func mountAt(t *testing.T, args ...string) (dir string, unmount func()) {
	t.Helper()
	dir = t.TempDir()
	command(t, "mount", append(args, dir)...)
	mounted := true
	t.Cleanup(func() {
		if mounted {
			syscall.Unmount(dir, 2) // MNT_DETACH, whatever still uses it
		}
	})
	return dir, func() {
		t.Helper()
		command(t, "umount", dir)
		mounted = false
	}
}

// newImage makes a file with an ext4 file system in it.
func newImage(t *testing.T) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	f, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(64<<20), f.Close()); err != nil {
		t.Fatal(err)
	}
	command(t, "mkfs.ext4", "-q", "-F", image)
	return image
}

// mountImage mounts an image so that nothing is written to it for a long time
// but what is synced.
func mountImage(t *testing.T, image string) (dir string, unmount func()) {
	t.Helper()
	return mountAt(t, "-o", "loop,commit=300,errors=remount-ro", image)
}

// till is a ledger at work on a real disk and what it has been told.
type till struct {
	*testing.T
	dir string
	l   *Ledger
	log bytes.Buffer
	w   wallet.WalletID

	mu     sync.Mutex
	told   map[wallet.OpID]told
	untold map[wallet.OpID]wallet.Charge
	why    error // the last error
}

func newTill(t *testing.T, dir string) *till {
	b := &till{T: t, dir: dir, told: make(map[wallet.OpID]told), untold: make(map[wallet.OpID]wallet.Charge)}
	b.open()
	b.w = ledgertest.NewWallet(t, b.l, b.l.clock, 1_000_000*wallet.Unit)
	return b
}

func (b *till) options() Options {
	return Options{Dir: b.dir, SegmentSize: 1 << 20, Log: slog.New(slog.NewTextHandler(&b.log, nil))}
}

func (b *till) open() {
	b.Helper()
	l, err := Open(b.options())
	if err != nil {
		b.Fatal(err)
	}
	b.l = l
	b.Cleanup(func() { l.Close() })
}

// mustNotOpen opens a ledger that cannot be: the error is the system's, and says
// the cure.
func (b *till) mustNotOpen(cause error, cure string) {
	b.Helper()
	l, err := Open(b.options())
	if err == nil {
		l.Close()
		b.Fatalf("the ledger opens, want %v", cause)
	}
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), cure) || !strings.Contains(err.Error(), b.dir) {
		b.Fatalf("Open answers %q, want %v, %q and the directory", err, cause, cure)
	}
}

// work charges from many sides: each caller so often, or until the ledger
// answers no more.
func (b *till) work(times int) {
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for range times {
				c := wallet.Charge{
					ID: newID(), Wallet: b.w, Generation: 1, Rule: "news", Price: 3, Window: wallet.ChargeMemory,
					Resource: "news:/" + newID().String() + strings.Repeat("/long", 60),
				}
				if !b.charge(c) {
					return
				}
			}
		})
	}
	callers.Wait()
}

func (b *till) charge(c wallet.Charge) bool {
	again := func(l *Ledger) (wallet.Receipt, error) { return l.Charge(b.Context(), c) }
	r, err := again(b.l)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.untold[c.ID], b.why = c, err
		return false
	}
	if r.Outcome != wallet.Applied {
		b.Errorf("a charge answers %v", r.Outcome)
	}
	b.told[c.ID] = told{again, r}
	return true
}

// mustHaveStopped checks what is said of a ledger that the disk has stopped.
func (b *till) mustHaveStopped(cause error, cure string) {
	b.Helper()
	if len(b.told) < 100 {
		b.Fatalf("only %d charges before: too few to prove anything", len(b.told))
	}
	_, asked := b.l.Standing(b.Context(), wallet.StandingQuery{Wallet: b.w})
	for _, err := range []error{b.why, asked, b.l.Close()} {
		if !errors.Is(err, wallet.ErrStopped) || !errors.Is(err, cause) {
			b.Fatalf("the ledger answers %v, want ErrStopped and %v", err, cause)
		}
	}
	line := b.log.String()
	if !strings.Contains(line, "ledger stopped: ") || !strings.Contains(line, cure) || !strings.Contains(line, b.dir) {
		b.Fatalf("the log says %q, want %q and the directory", line, cure)
	}
	b.log.Reset()
}

// check repeats everything that the ledger was asked: what it acknowledged is
// there in its exact receipt (invariant 5), of the rest the same ids say what
// happened (invariant 6), and nothing was paid for twice (invariants 1, 3).
func (b *till) check() {
	b.Helper()
	for id, was := range b.told {
		want := was.want
		want.Outcome = wallet.Replayed
		if got, err := was.again(b.l); err != nil || got != want {
			b.Fatalf("invariant 5: acknowledged charge %s is now\n%+v, %v; was\n%+v", id, got, err, want)
		}
	}
	for id, c := range b.untold {
		r, err := b.l.Charge(b.Context(), c)
		if err != nil || !r.Outcome.Done() {
			b.Fatalf("invariant 6: charge %s sent again answers %v, %v", id, r.Outcome, err)
		}
		r.Outcome = wallet.Applied
		b.told[id] = told{func(l *Ledger) (wallet.Receipt, error) { return l.Charge(b.Context(), c) }, r}
	}
	clear(b.untold)
	w, err := b.l.Wallet(b.Context(), b.w)
	if want := 1_000_000*wallet.Unit - 3*wallet.Amount(len(b.told)); err != nil || w.Available != want {
		b.Fatalf("invariant 3: the wallet has %s, %v; want %s", w.Available, err, want)
	}
	ledgertest.AssertConserved(b, b.l)
	sameBooks(b, b.l)
}

// fill writes a file until its disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(zeros[:4096])
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	f.Close()
}

// copyFile copies an image.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(dst, src)
	if err := errors.Join(err, dst.Close()); err != nil {
		t.Fatal(err)
	}
}
