//go:build unix

package redistest

import "syscall"

// pause stops the process and resume lets it go on.
func (p *process) pause() error  { return p.Signal(syscall.SIGSTOP) }
func (p *process) resume() error { return p.Signal(syscall.SIGCONT) }
