//go:build !linux

package reader

import (
	"context"
	"errors"
	"io"
)

var errLinux = errors.New("readers that play a keyboard need Linux")

// OpenKeyboard is for Linux.
func OpenKeyboard(string) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) { return nil, errLinux }
}
