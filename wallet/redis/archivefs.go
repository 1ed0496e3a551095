package redis

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

const (
	directoryMode = 0o700 // who may read the journal knows who read what
	fileMode      = 0o600
)

// makeDirectory makes a directory where it is missing, and what is missing above it,
// durably: a power cut must not take the archive away with its directory.
func makeDirectory(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	var parents []string
	for at := path; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		parents = append(parents, filepath.Dir(at))
	}
	if err := os.MkdirAll(path, directoryMode); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := syncDirectory(parent); err != nil {
			return err
		}
	}
	return nil
}

// syncDirectory makes the names in a directory durable. Windows cannot, and NTFS
// journals names by itself.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeDurably makes a file that has its name only when all of it is durable.
func writeDurably(directory, unfinished, name string, content []byte) error {
	path := filepath.Join(directory, unfinished)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path, filepath.Join(directory, name)); err != nil {
		return err
	}
	return syncDirectory(directory)
}
