//go:build !linux

package redistest

import "os/exec"

// endWithParent has no equivalent here: servers end with their test's cleanup.
func endWithParent(*exec.Cmd) {}
