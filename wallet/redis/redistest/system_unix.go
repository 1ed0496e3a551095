//go:build unix

package redistest

import (
	"errors"
	"syscall"
	"time"
)

// pause stops the process and resume lets it go on.
func (p *process) pause() error  { return p.Signal(syscall.SIGSTOP) }
func (p *process) resume() error { return p.Signal(syscall.SIGCONT) }

// killGroup kills the process with its children, which write to the same
// directory: a server has one whenever it rewrites its file.
func (p *process) killGroup() {
	if p.hasEnded() {
		return // its number may be somebody else's by now
	}
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	<-p.ended
	// The children die at the same time, but nobody here is told of it. In a
	// container where nobody is at all, their numbers stay.
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if errors.Is(syscall.Kill(-p.Pid, 0), syscall.ESRCH) {
			return
		}
	}
}
