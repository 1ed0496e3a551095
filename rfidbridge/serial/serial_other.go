//go:build !linux

package serial

import (
	"errors"
	"os"
)

// Open is for Linux.
func Open(string, int) (*os.File, error) { return nil, errors.New("serial lines need Linux") }
