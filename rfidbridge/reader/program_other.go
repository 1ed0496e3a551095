//go:build !linux

package reader

import (
	"context"
	"errors"
	"io"
)

// OpenProgram is for Linux.
func OpenProgram([]string) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) {
		return nil, errors.New("programs as readers need Linux")
	}
}
