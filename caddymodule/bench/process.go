package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	startTimeout = 30 * time.Second
	shownOutput  = 4 << 10 // bytes, of a process that does not start

	// ticks is the unit of processor time in /proc: USER_HZ, which is 100 on
	// every platform that Go runs Linux on (proc_pid_stat(5)).
	ticks = 10 * time.Millisecond
)

// process is a program that runs beside the benchmark.
type process struct {
	name   string
	debug  string // URL of its profiles; empty: it is not written in Go
	env    []string
	cmd    *exec.Cmd
	output string // path of the file with what it prints
	exited chan struct{}
}

// launch starts a program in a home of its own, and with nothing of the
// environment but what a program needs: above all with no settings of the Go
// runtime, and nobody else's data directory.
func launch(dir, name, debug string, env []string, program string, args ...string) (*process, error) {
	home := filepath.Join(dir, name+".home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	p := &process{name: name, debug: debug, output: filepath.Join(dir, name+".log"), exited: make(chan struct{})}
	p.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home,
		"XDG_DATA_HOME=" + filepath.Join(home, "data"), "XDG_CONFIG_HOME=" + filepath.Join(home, "config"),
	}, env...)
	log, err := os.Create(p.output)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(program, args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, log, log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in its ProcessState
		close(p.exited)
	}()
	return p, nil
}

// stop ends the process and returns when it is gone.
func (p *process) stop() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.exited
}

// ready returns when the URL answers with 200.
func (p *process) ready(url string) error {
	client := &http.Client{Timeout: time.Second}
	for deadline := time.Now().Add(startTimeout); ; {
		select {
		case <-p.exited:
			return p.broken(fmt.Errorf("ended: %v", p.cmd.ProcessState))
		case <-time.After(10 * time.Millisecond):
		}
		answer, err := client.Get(url)
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(answer.Status)
		}
		if time.Now().After(deadline) {
			return p.broken(err)
		}
	}
}

func (p *process) broken(err error) error {
	printed, _ := os.ReadFile(p.output)
	return fmt.Errorf("%s does not start: %w\n%s", p.name, err, printed[max(0, len(printed)-shownOutput):])
}

// cpu is the processor time that the process has used, of both modes.
func (p *process) cpu() (time.Duration, error) {
	used, err := cpuOf(p.cmd.Process.Pid)
	if err != nil {
		err = fmt.Errorf("the processor time of %s: %w", p.name, err)
	}
	return used, err
}

func cpuOf(pid int) (time.Duration, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, err
	}
	// The second field is the program's name in parentheses, and may hold
	// spaces; behind it the third begins.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const user, system = 14 - 3, 15 - 3
	if len(fields) <= system {
		return 0, errors.ErrUnsupported
	}
	u, err := strconv.ParseInt(fields[user], 10, 64)
	if err != nil {
		return 0, err
	}
	s, err := strconv.ParseInt(fields[system], 10, 64)
	return time.Duration(u+s) * ticks, err
}

// freeAddress is an address on loopback that nobody listens on. Its port is
// below those that systems give to clients (RFC 6335 §6), which wrk's and the
// proxy's connections will take by the hundred, and has five digits, so that no
// site has a longer Host than another.
func freeAddress() (string, error) {
	for range 100 {
		address := "127.0.0.1:" + strconv.Itoa(20000+rand.IntN(12000)) //nolint:gosec // no secret
		if l, err := net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("no free port between 20000 and 32000")
}
