// Package serialtest makes serial lines for tests, without hardware: a pseudo-terminal has
// the settings of one, and a test at its other end.
package serialtest

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Open makes a serial line, which the test's end unplugs: what is written to the file comes
// out of the path, and the other way round.
func Open(t testing.TB) (far *os.File, path string) {
	t.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	raw, err := far.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	if failed := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	path = fmt.Sprintf("/dev/pts/%d", number)
	held, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0) // else it is unplugged whenever nobody has it open
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	return far, path
}
