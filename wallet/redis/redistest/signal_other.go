//go:build !unix

package redistest

import "errors"

var errNoSignals = errors.New("a process cannot be stopped and resumed on this system")

func (*process) pause() error  { return errNoSignals }
func (*process) resume() error { return errNoSignals }
