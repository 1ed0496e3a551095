//go:build !linux

package local

import "os"

// syncData makes a file durable. On macOS File.Sync asks for F_FULLFSYNC, which
// is what durable means there.
func syncData(f *os.File) error { return f.Sync() }
