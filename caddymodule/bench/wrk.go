package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed load.lua
var loadScript []byte

const (
	scriptName = "load.lua"

	// wrkGrace is how long requests that are in flight at the end of a window
	// may take before wrk ends all the same, which is an error.
	wrkGrace = 20 * time.Second

	noLimit = 1_000_000_000 // requests
)

// load is what wrk sends in one run; load.lua says what the fields mean.
type load struct {
	url         string
	window      time.Duration
	limit       int
	connections int
	path        string
	first       int
	cycle       int
	fields      string
	lines       string // path of the file; empty: none
}

// report is what load.lua prints at the end.
type report struct {
	Sent      int     // requests
	Parked    int     // connections that have nothing in flight
	Elapsed   float64 // seconds
	Processor float64 // seconds of wrk's own processor time
	Answers   int
	Refusals  int     // answers with a status of 400 or more
	Errors    int     // of connections, and answers that took too long
	P50, P99  float64 // microseconds
	Rate      float64 // answers a second
}

// rate is answers a second within the window, at whose end all connections but
// one have a request in flight.
func (r report) rate(connections int) float64 {
	return float64(r.Sent-connections+1) / r.Elapsed
}

// writeScript puts load.lua where wrk finds it.
func writeScript(dir string) error {
	return os.WriteFile(filepath.Join(dir, scriptName), loadScript, 0o600)
}

// drive runs wrk against a site and returns what it counted. Every request has
// been answered then; where that is not so, it is an error.
func drive(ctx context.Context, dir string, l load) (report, error) {
	args := []string{
		"-t1", "-c" + strconv.Itoa(l.connections), "--latency", "--timeout", seconds(wrkGrace), "-d" + seconds(l.window+wrkGrace),
		"-s", filepath.Join(dir, scriptName), l.url, "--",
		fmt.Sprint(l.window.Seconds()), strconv.Itoa(l.limit), strconv.Itoa(l.connections),
		l.path, strconv.Itoa(l.first), strconv.Itoa(l.cycle), l.fields,
	}
	if l.lines != "" {
		args = append(args, l.lines)
	}
	command := exec.CommandContext(ctx, "wrk", args...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return report{}, fmt.Errorf("wrk: %w\n%s%s", err, out, stderr.Bytes())
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var r report
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil {
		return report{}, fmt.Errorf("wrk does not end with what load.lua prints: %w\n%s", err, out)
	}
	r.Rate = r.rate(l.connections)
	return r, r.check(l)
}

// driveAll runs one wrk for each load, at once, and adds up what they have counted.
// The latencies are then those of the slowest: nobody is flattered.
func driveAll(ctx context.Context, dir string, all []load) (sum report, err error) {
	reports, failures := make([]report, len(all)), make([]error, len(all))
	var driving sync.WaitGroup
	for i, l := range all {
		driving.Go(func() { reports[i], failures[i] = drive(ctx, dir, l) })
	}
	driving.Wait()
	for _, r := range reports {
		sum.Sent += r.Sent
		sum.Answers += r.Answers
		sum.Refusals += r.Refusals
		sum.Processor += r.Processor
		sum.Rate += r.Rate
		sum.P50, sum.P99 = max(sum.P50, r.P50), max(sum.P99, r.P99)
	}
	return sum, errors.Join(failures...)
}

// check finds what would make a count wrong.
func (r report) check(l load) error {
	switch {
	case r.Errors != 0:
		return fmt.Errorf("%d requests failed on their connections", r.Errors)
	case r.Parked != l.connections:
		return fmt.Errorf("%d of %d connections were still waiting for an answer after %v",
			l.connections-r.Parked, l.connections, wrkGrace)
	case r.Sent != r.Answers:
		return fmt.Errorf("%d requests were sent and %d answered", r.Sent, r.Answers)
	}
	return nil
}

// seconds is a duration as wrk reads it, rounded up.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
