package redis

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/caddy-paywall/caddy-paywall/wallet/internal/durable"
)

// writeDurably makes a file that has its name only when all of it is durable.
func writeDurably(directory, unfinished, name string, content []byte) error {
	path := filepath.Join(directory, unfinished)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, durable.FileMode)
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
	return durable.SyncDirectory(directory)
}
