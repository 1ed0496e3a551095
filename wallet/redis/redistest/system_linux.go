package redistest

import "syscall"

// alone has a process lead a group of its own, and the system kill it when the
// test's own process ends without having cleaned up.
func alone() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
