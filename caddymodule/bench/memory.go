package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
)

// peak is the most memory that the process has had, in bytes (VmHWM of proc_pid_status(5)).
func (p *process) peak() (int64, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	if err != nil {
		return 0, err
	}
	found := mostResident.FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("the memory of %s: %w", p.name, errors.ErrUnsupported)
	}
	kb, err := strconv.ParseInt(string(found[1]), 10, 64)
	return kb << 10, err
}

var mostResident = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// maxHeapProfile is bytes of a heap profile that are read.
const maxHeapProfile = 64 << 20

// heapInUse is where a heap profile in text says how many bytes are in use.
var heapInUse = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)

// collect has the process collect its garbage, so that what a run finds is not
// what the one before has left, and returns how many bytes are in use then.
func (p *process) collect() (inUse int, err error) {
	if p.debug == "" {
		return 0, nil
	}
	answer, err := http.Get(p.debug + "/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxHeapProfile))
	if err != nil {
		return 0, err
	}
	found := heapInUse.FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("the heap profile of %s: %w", p.name, errors.ErrUnsupported)
	}
	return strconv.Atoi(string(found[1]))
}
