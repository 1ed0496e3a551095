package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

func TestAnErrorOfTheDiskSaysItsCure(t *testing.T) {
	const dir = "/var/lib/paywall"
	for cause, want := range map[error]string{
		syscall.ENOSPC:  "free space on the disk of " + dir,
		syscall.EDQUOT:  "free space on the disk of " + dir,
		syscall.EROFS:   "mount the disk of " + dir + " for writing",
		syscall.EACCES:  "let the user that this process runs as read and write " + dir,
		syscall.EPERM:   "let the user that this process runs as read and write " + dir,
		syscall.EIO:     "check the disk of " + dir,
		syscall.ENOTDIR: "make sure that " + dir + " is a directory",
	} {
		err := cured(fmt.Errorf("journal: %w", &os.PathError{Op: "write", Path: "journal", Err: cause}), dir)
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q, want %v and %q", err, cause, want)
		}
	}
	for _, says := range []error{corrupt("it is"), wallet.ErrInUse} {
		if err := cured(says, dir); err != says {
			t.Errorf("%q says its cure itself, and becomes %q", says, err)
		}
	}
}

func TestADirectoryThatIsAFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger")
	overwrite(t, path, []byte("not a directory"))
	l, err := Open(Options{Dir: path})
	if err == nil {
		l.Close()
		t.Fatal("a file was opened as a ledger")
	}
	if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("error %q does not say what to do", err)
	}
}
