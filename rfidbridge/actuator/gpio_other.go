//go:build !linux

package actuator

import (
	"errors"
	"io"
)

// Chips are for Linux.
type Chips struct{}

var errLinux = errors.New("GPIO lines need Linux")

// Output implements [Lines].
func (Chips) Output(Line) (Driven, error) { return nil, errLinux }

// Edges implements [Lines].
func (Chips) Edges(Line, func()) (io.Closer, error) { return nil, errLinux }
