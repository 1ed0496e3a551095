package redistest

import (
	"os/exec"
	"syscall"
)

// endWithParent has the system kill the process when the test's own process
// ends without having cleaned up.
func endWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
