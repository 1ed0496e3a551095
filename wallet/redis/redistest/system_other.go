//go:build !unix

package redistest

import (
	"errors"
	"syscall"
)

var errNoSignals = errors.New("a process cannot be stopped and resumed on this system")

func alone() *syscall.SysProcAttr { return nil }

func (*process) pause() error  { return errNoSignals }
func (*process) resume() error { return errNoSignals }

func (p *process) killGroup() {
	_ = p.Kill() // it may have ended by itself
	<-p.ended
}
