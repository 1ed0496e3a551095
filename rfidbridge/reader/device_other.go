//go:build !linux

package reader

import (
	"context"
	"errors"
	"io"
)

var errLinux = errors.New("serial and keyboard readers need Linux")

// OpenSerial is for Linux.
func OpenSerial(string) func(context.Context) (io.ReadCloser, error) { return unsupported }

// OpenKeyboard is for Linux.
func OpenKeyboard(string) func(context.Context) (io.ReadCloser, error) { return unsupported }

func unsupported(context.Context) (io.ReadCloser, error) { return nil, errLinux }
