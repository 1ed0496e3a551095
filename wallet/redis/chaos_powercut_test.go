//go:build root && linux

package redis

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// These tests mount file systems, and so run as root, with the build tag of that name.
// They need e2fsprogs and mount.

// disk is a file system of its own in a file, for a server to be cut off from its power.
type disk struct {
	image   string
	dir     string // where it is mounted, while it is
	unmount func()
}

func newDisk(t testing.TB) *disk {
	t.Helper()
	d := &disk{image: filepath.Join(t.TempDir(), "image")}
	f, err := os.Create(d.image)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(48<<20), f.Close()); err != nil {
		t.Fatal(err)
	}
	program(t, "mkfs.ext4", "-q", "-F", d.image)
	d.mount(t)
	return d
}

func program(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// mount mounts the image so that nothing is written to it for a long time but what is
// synced.
func (d *disk) mount(t testing.TB) {
	t.Helper()
	dir := t.TempDir()
	program(t, "mount", "-o", "loop,commit=300,errors=remount-ro", d.image, dir)
	mounted := true
	t.Cleanup(func() {
		if mounted {
			_ = syscall.Unmount(dir, 2) // MNT_DETACH, whatever still uses it
		}
	})
	d.dir = dir
	d.unmount = func() {
		t.Helper()
		program(t, "umount", dir)
		mounted = false
	}
}

// server starts Redis on what the disk has.
func (d *disk) server(t testing.TB, config ...string) *redistest.Server {
	t.Helper()
	dir := filepath.Join(d.dir, "redis")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return redistest.StartIn(t, dir, config...)
}

// cut cuts the power: the server stands still, and the image of its disk is copied. The
// copy has what was synced, and not what is only in the system's memory. The disk is
// mounted again as the copy.
func (d *disk) cut(t testing.TB, s *redistest.Server) {
	t.Helper()
	standStill(t, s.Pid())
	from, err := os.Open(d.image)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(d.image + ".cut")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	d.unmount()
	if err := os.Rename(d.image+".cut", d.image); err != nil {
		t.Fatal(err)
	}
	d.mount(t)
}

// standStill stops a process and returns when none of its threads runs: one in the
// middle of a sync ends it first.
func standStill(t testing.TB, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil || len(threads) == 0 {
			t.Fatalf("the server's threads: %v, %v", threads, err)
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
			t.Fatalf("%d threads of the server do not stop", running)
		}
	}
}

func onADisk(r *run) {
	r.disk = newDisk(r)
	r.server = r.disk.server(r)
	r.openAt(r.server.Addr(), r.server.Addr())
}

func cutThePower(r *run) {
	before := r.all()
	r.disk.cut(r, r.server)
	r.server = r.disk.server(r)
	r.openAt(r.server.Addr(), r.server.Addr())
	for _, c := range before {
		r.abandon(c)
	}
}

// The power of the server's disk is cut under load. With appendfsync always all that was
// acknowledged is on the disk (invariant 5).
var powerCut = &schedule{fault: "power cut, appendfsync always", times: 2, between: 500, begin: onADisk, breaks: cutThePower}

func init() { schedules = append(schedules, powerCut, powerCutOfAFastRedis) }

func TestChaosAPowerCutLosesNothingAcknowledged(t *testing.T) { chaos(t, powerCut) }

// With a server that syncs once a second the disk loses the last second. The Caddys live,
// notice when it is back, and carry out again what they had acknowledged.
var powerCutOfAFastRedis = &schedule{
	fault: "power cut, everysec, fast; Caddys live", times: 1, between: 300, loses: true, draws: (*client).viewsAndTopUps,
	begin: func(r *run) {
		sockets, err := os.MkdirTemp("", "redis") // t.TempDir is too long for one
		if err != nil {
			r.Fatal(err)
		}
		r.Cleanup(func() { os.RemoveAll(sockets) })
		socket := filepath.Join(sockets, "s")
		r.fast = []string{"appendfsync everysec", "unixsocket " + socket}
		r.disk, r.log = newDisk(r), new(logged)
		r.server = r.disk.server(r, r.fast...)
		r.options.Durability, r.options.Log = Fast, r.log.logger()
		r.openAt(socket, socket)
	},
	breaks: func(r *run) {
		r.disk.cut(r, r.server)
		r.server = r.disk.server(r, r.fast...)
		r.eventually("the log says what became of what was lost", func() bool { return r.log.has("carried_out_again=") })
	},
}

func TestChaosWhatAPowerCutTakesFromAFastRedisIsCarriedOutAgain(t *testing.T) {
	chaos(t, powerCutOfAFastRedis)
}

// The same with a server that somebody has told not to sync must lose something, or the
// test above proves nothing. The ledger is told, as long as it does not look: so soon
// after its start it has not.
func TestChaosAPowerCutTellsAServerThatDoesNotSync(t *testing.T) {
	lost := 0
	chaos(t, &schedule{
		fault: "power cut, appendfsync no", times: 1, between: 500, begin: onADisk,
		breaks: func(r *run) {
			r.must("CONFIG", "SET", "appendfsync", "no")
			r.until(500)
			cutThePower(r)
		},
		proves: func(r *run) {
			r.each(func(c *caddy, d *deed) {
				if d.done() && r.insist(c, d.op).receipt.Outcome != wallet.Replayed {
					r.mu.Lock()
					defer r.mu.Unlock()
					lost++
				}
			})
			r.result.lost = lost
		},
	})
	if lost == 0 {
		t.Error("nothing is lost, though nothing was synced")
	}
}
