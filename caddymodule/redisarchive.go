package caddymodule

import (
	"errors"
	"sync"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-paywall/caddy-paywall/wallet/redis"
)

// archives holds the open archives by their directory. It is global because one
// process alone may have a directory, and during a reload that changes the
// connection, a password say, two ledgers of this process archive there: each adds
// what is missing.
var archives = caddy.NewUsagePool()

type pooledArchive struct{ redis.Archive }

// Destruct closes the archive with the last ledger that has it.
func (a pooledArchive) Destruct() error { return a.Close() }

// archivedLedger is a ledger with an archive, which is closed after it.
type archivedLedger struct {
	*redis.Ledger
	directory string
	release   sync.Once
}

// openArchived opens the archive in a directory, and the ledger with it.
func openArchived(options redis.Options, directory string) (*archivedLedger, error) {
	archive, _, err := archives.LoadOrNew(directory, func() (caddy.Destructor, error) {
		opened, err := redis.OpenDirectory(directory)
		return pooledArchive{opened}, err
	})
	if err != nil {
		return nil, err
	}
	options.Archive = archive.(pooledArchive).Archive
	ledger, err := redis.Open(options)
	if err != nil {
		_, closing := archives.Delete(directory)
		return nil, errors.Join(err, closing)
	}
	return &archivedLedger{Ledger: ledger, directory: directory}, nil
}

// Close implements [wallet.Ledger].
func (l *archivedLedger) Close() error {
	err := l.Ledger.Close()
	l.release.Do(func() {
		_, closing := archives.Delete(l.directory)
		err = errors.Join(err, closing)
	})
	return err
}

// Interface guard
var _ caddy.Destructor = pooledArchive{}
