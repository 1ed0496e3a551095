package local

import (
	"errors"
	"fmt"
	"os"
)

// errLost is the reason that a ledger which was there is not.
var errLost = errors.New("the ledger is not in its directory any more")

// Find reports, by an error, that a directory has no ledger. Open would begin
// one there: whoever knows that there was one asks first, because a new one
// would hide that it has gone or that its disk is not mounted.
func Find(dir string) error {
	if _, err := os.Stat(directory(dir).path(segmentName(0))); err != nil {
		return cured(fmt.Errorf("%w: %w", errLost, err), dir)
	}
	return nil
}

// Intact finds out whether the ledger still has its directory. Where that has
// been removed, moved or replaced, or its file system unmounted, the open files
// go on to take what is written, and it is gone with them, or the next file ends
// up among another ledger's: then Intact stops the ledger and returns why. It
// costs three calls of the system and is for asking every second or so.
func (l *Ledger) Intact() error {
	err := l.haveDirectory()
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop(err)
	return l.failure
}

func (l *Ledger) haveDirectory() error {
	locked, err := l.lock.Stat()
	if err != nil {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	found, err := os.Stat(l.lock.Path())
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errLost, err)
	case !os.SameFile(locked, found):
		return fmt.Errorf("%w: another one is in its place", errLost)
	}
	if _, err := os.Stat(directory(l.dir).path(segmentName(0))); err != nil {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return nil
}
