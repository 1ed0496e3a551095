package local

import (
	"io"
	"os"
	"path/filepath"

	"github.com/caddy-paywall/caddy-paywall/wallet/internal/durable"
)

// fileSystem is the ledger's directory, as little of it as the ledger needs, so
// that a test can put one underneath that loses power.
type fileSystem interface {
	// Create makes an empty file, or empties the one that is there.
	Create(name string) (file, error)
	// Open opens an existing file for reading and writing.
	Open(name string) (file, error)
	// Names lists the directory, in no order.
	Names() ([]string, error)
	// Rename replaces the file that is there under the new name, if any.
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes creations, renames and removals durable.
	SyncDir() error
}

// file is an open file of a fileSystem. ReadAt is safe beside WriteAt.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync makes everything written before it durable, and the size.
	Sync() error
	Size() (int64, error)
	Truncate(size int64) error
}

// directory is the fileSystem of the operating system.
type directory string

func (d directory) path(name string) string { return filepath.Join(string(d), name) }

func (d directory) Create(name string) (file, error) {
	return openFile(d.path(name), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

func (d directory) Open(name string) (file, error) {
	return openFile(d.path(name), os.O_RDWR)
}

func openFile(path string, flag int) (file, error) {
	f, err := os.OpenFile(path, flag, durable.FileMode)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d directory) Names() ([]string, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (d directory) Rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }

func (d directory) Remove(name string) error { return os.Remove(d.path(name)) }

func (d directory) SyncDir() error { return durable.SyncDirectory(string(d)) }

// osFile is a file of the operating system.
type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
