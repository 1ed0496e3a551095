package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// machine is what the figures were measured on.
type machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	Kernel     string `json:"kernel"`
	FileSystem string `json:"file_system"` // of the ledger
	Go         string `json:"go"`
	Caddy      string `json:"caddy"`
	Wrk        string `json:"wrk"`
	Node       string `json:"node,omitempty"` // of the field's servers
}

// describeMachine asks the machine, for what the disk at dir is too. What cannot
// be found out is said to be unknown.
func describeMachine(ctx context.Context, dir string) machine {
	m := machine{CPU: unknown, Cores: runtime.NumCPU(), Kernel: unknown, FileSystem: fileSystemOf(dir), Go: runtime.Version()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, found := strings.Cut(string(text), "model name\t: "); found {
			m.CPU, _, _ = strings.Cut(after, "\n")
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(text))
	}
	version, _ := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/caddyserver/caddy/v2").Output()
	m.Caddy = first(version)
	help, _ := exec.CommandContext(ctx, "wrk", "-v").CombinedOutput() // fails, as it was given no address
	m.Wrk = first(bytes.TrimPrefix(help, []byte("wrk ")))
	return m
}

const unknown = "unknown"

// first is the first word.
func first(text []byte) string {
	if words := strings.Fields(string(text)); len(words) > 0 {
		return words[0]
	}
	return unknown
}

// fileSystemOf is the type of the file system that dir is on: that of the
// longest mount point above it (proc_pid_mountinfo(5)).
func fileSystemOf(dir string) string {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return unknown
	}
	found, longest := unknown, -1
	for mount := range strings.Lines(string(text)) {
		fields := strings.Fields(mount)
		if len(fields) < 3 {
			continue
		}
		inside, err := filepath.Rel(fields[1], dir)
		if err == nil && inside != ".." && !strings.HasPrefix(inside, "../") && len(fields[1]) > longest {
			found, longest = fields[2], len(fields[1])
		}
	}
	return found
}

func (m machine) String() string {
	text := fmt.Sprintf("%s, %d cores, Linux %s, ledger on %s, %s, Caddy %s, wrk %s",
		m.CPU, m.Cores, m.Kernel, m.FileSystem, m.Go, m.Caddy, m.Wrk)
	if m.Node != "" {
		text += ", Node.js " + m.Node
	}
	return text
}
