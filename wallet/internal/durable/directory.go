// Package durable makes directories that are still there after a power cut. It is for the
// engines that keep a journal in files, and knows nothing of what is in them.
package durable

import (
	"os"
	"path/filepath"
)

// The modes of what a journal lies in: who may read it knows who read what.
const (
	DirectoryMode = 0o700
	FileMode      = 0o600
)

// MakeDirectory makes a directory where it is missing, and what is missing above it,
// durably: a power cut must not take a journal away with its directory.
func MakeDirectory(path string) error {
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
	if err := os.MkdirAll(path, DirectoryMode); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := SyncDirectory(parent); err != nil {
			return err
		}
	}
	return nil
}
