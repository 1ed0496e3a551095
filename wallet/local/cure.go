package local

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// cure says what an operator does about an error of the ledger in a directory.
// It is empty for those that say so themselves.
func cure(err error, dir string) string {
	is := func(causes ...error) bool {
		for _, cause := range causes {
			if errors.Is(err, cause) {
				return true
			}
		}
		return false
	}
	switch {
	case is(wallet.ErrCorrupt, wallet.ErrInUse):
		return ""
	case is(errLost):
		return "put " + dir + " back, or mount its disk; only a restart would begin an empty ledger there"
	case is(syscall.ENOSPC, syscall.EDQUOT):
		return "free space on the disk of " + dir
	case is(syscall.EROFS):
		return "mount the disk of " + dir + " for writing; if it was remounted read-only by itself, check it first"
	case is(fs.ErrPermission): // EACCES and EPERM
		return "let the user that this process runs as read and write " + dir
	case is(syscall.EIO):
		return "check the disk of " + dir + " and the system's log"
	}
	return "make sure that " + dir + " is a directory on a local disk that can be read and written"
}

// cured is the error with its cure.
func cured(err error, dir string) error {
	if cure := cure(err, dir); cure != "" {
		return fmt.Errorf("%w; %s", err, cure)
	}
	return err
}
