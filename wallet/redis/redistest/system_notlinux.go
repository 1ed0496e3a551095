//go:build unix && !linux

package redistest

import "syscall"

// alone has a process lead a group of its own. It ends with its test's cleanup.
func alone() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
