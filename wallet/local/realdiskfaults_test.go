//go:build root && linux

package local

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// A disk runs full under load, three times. The ledger stops and cannot be opened
// while it is full; when there is space again it can, and nothing that it has
// acknowledged is lost (invariants 3, 5, 6).
func TestOnARealDiskThatFillsUpNothingIsLost(t *testing.T) {
	disk, _ := mountAt(t, "-t", "tmpfs", "-o", "size=8m", "none")
	spare := filepath.Join(disk, "spare")
	if err := os.WriteFile(spare, make([]byte, 6<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newTill(t, filepath.Join(disk, "ledger"))
	const cure = "free space on the disk of "
	for round := range 3 {
		b.work(1 << 20)
		b.mustHaveStopped(syscall.ENOSPC, cure)
		rest := filepath.Join(disk, "rest")
		fill(t, rest)
		for range 2 {
			b.mustNotOpen(syscall.ENOSPC, cure)
		}
		if err := os.Remove(rest); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(spare, int64(2-round)*2<<20); err != nil {
			t.Fatal(err)
		}
		b.open()
		b.check()
	}
}

// A disk that finds itself damaged turns read-only, as ext4 does. The ledger
// stops, and goes on when the disk has been checked and mounted again.
func TestOnARealDiskThatTurnsReadOnlyNothingIsLost(t *testing.T) {
	image := newImage(t)
	disk, unmount := mountImage(t, image)
	b := newTill(t, filepath.Join(disk, "ledger"))
	b.work(100)
	b.check()
	triggers, err := filepath.Glob("/sys/fs/ext4/*/trigger_fs_error")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(triggerOf(t, disk, triggers), []byte("test"), 0); err != nil {
		t.Fatal(err)
	}
	b.work(100)
	const cure = "for writing"
	b.mustHaveStopped(syscall.EROFS, cure)
	b.mustNotOpen(syscall.EROFS, cure)
	unmount()
	if out, err := exec.Command("e2fsck", "-f", "-y", image).CombinedOutput(); err != nil && !strings.Contains(string(out), "MODIFIED") {
		t.Fatalf("%v\n%s", err, out)
	}
	disk, _ = mountImage(t, image)
	b.dir = filepath.Join(disk, "ledger")
	b.open()
	b.check()
}

// triggerOf is the one of some files of ext4 file systems that belongs to the
// one mounted on a directory.
func triggerOf(t *testing.T, dir string, files []string) string {
	t.Helper()
	var here syscall.Stat_t
	if err := syscall.Stat(dir, &here); err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		var device syscall.Stat_t
		err := syscall.Stat(filepath.Join("/dev", filepath.Base(filepath.Dir(path))), &device)
		if err == nil && device.Rdev == here.Dev {
			return path
		}
	}
	t.Fatalf("none of %v is of %s", files, dir)
	return ""
}

// A disk stops answering, and every write and sync fails from then on.
func TestOnARealDiskThatFailsNothingIsLost(t *testing.T) {
	image := newImage(t)
	disk, unmount := mountImage(t, image)
	b := newTill(t, filepath.Join(disk, "ledger"))
	b.work(100)
	b.check()
	shutDown(t, disk)
	b.work(100)
	const cure = "check the disk of "
	b.mustHaveStopped(syscall.EIO, cure)
	b.mustNotOpen(syscall.EIO, cure)
	unmount()
	disk, _ = mountImage(t, image)
	b.dir = filepath.Join(disk, "ledger")
	b.open()
	b.check()
}

// shutDown makes a file system answer everything with an error, and lose what
// it has not written (FS_IOC_SHUTDOWN of linux/fs.h).
func shutDown(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const shutdown, withoutLog = 0x8004587d, 2
	flags := uint32(withoutLog)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		t.Fatal(errno)
	}
}

// A disk that is mounted read-only, or a directory that nobody may write, is
// refused when the ledger is opened and not when a reader pays.
func TestOnARealDiskThatCannotBeWrittenNoLedgerOpens(t *testing.T) {
	image := newImage(t)
	disk, unmount := mountImage(t, image)
	b := newTill(t, filepath.Join(disk, "ledger"))
	b.work(10)
	if err := b.l.Close(); err != nil {
		t.Fatal(err)
	}
	unmount()
	disk, unmount = mountAt(t, "-o", "loop,ro", image)
	b.dir = filepath.Join(disk, "ledger")
	b.mustNotOpen(syscall.EROFS, "for writing")
	b.dir = filepath.Join(disk, "new", "ledger")
	b.mustNotOpen(syscall.EROFS, "for writing")
	unmount()
	disk, _ = mountImage(t, image)
	b.dir = filepath.Join(disk, "ledger")
	command(t, "chattr", "+i", filepath.Join(b.dir, segmentName(0)))
	b.mustNotOpen(syscall.EPERM, "read and write")
	command(t, "chattr", "-i", filepath.Join(b.dir, segmentName(0)))
	b.open()
	b.check()
}
