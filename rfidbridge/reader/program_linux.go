package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// killAfter is how long a program that was asked to end is waited for.
const killAfter = time.Second

// OpenProgram runs a program, without a shell, and reads what it writes to its standard
// output. It is given PATH and nothing else of the environment; what it writes to its
// standard error is thrown away, since there may be a card's number in it. It ends, with all
// that it has started, when it is closed, and they do when it ends.
func OpenProgram(argv []string) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) {
		out, in, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		command := exec.Command(argv[0], argv[1:]...) //nolint:gosec,noctx // it is the operator's to say what is run, and Close ends it
		command.Env, command.Stdout = []string{"PATH=" + os.Getenv("PATH")}, in
		command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it and what it starts are a group
		err = command.Start()
		_ = in.Close() // the program has its own
		if err != nil {
			_ = out.Close() // nothing was written
			return nil, fmt.Errorf("the program cannot be run: %w", err)
		}
		p := &program{out: out, process: command.Process, ours: true, ended: make(chan struct{})}
		go p.wait(command)
		return p, nil
	}
}

// program is one that runs, and its group, which has its process id.
type program struct {
	out     *os.File
	process *os.Process
	ended   chan struct{} // closed when it has, and how is known
	how     error

	mu   sync.Mutex
	ours bool // the process id is, also while the program has ended and nobody has asked how
}

// wait notes how the program ends, and ends what it leaves behind. That is before its
// process id is given back: it may be somebody else's afterwards.
func (p *program) wait(command *exec.Cmd) {
	for unix.Waitid(unix.P_PID, p.process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		continue // a signal has come between
	}
	p.kill(syscall.SIGKILL)
	p.mu.Lock()
	if p.how = command.Wait(); p.how == nil {
		p.how = errors.New("exit status 0")
	}
	p.ours = false
	p.mu.Unlock()
	close(p.ended)
}

// kill sends a signal to the program and what it has started.
func (p *program) kill(signal syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ours {
		_ = syscall.Kill(-p.process.Pid, signal) // all of them may have ended
	}
}

// Read reads what the program writes, and at the end says how it has ended.
func (p *program) Read(b []byte) (int, error) {
	n, err := p.out.Read(b)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	p.stop() // it may only have closed its output
	return n, fmt.Errorf("the program has ended: %w", p.how)
}

// stop asks the program to end, and sees to it that it does.
func (p *program) stop() {
	p.kill(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(killAfter):
		p.kill(syscall.SIGKILL)
		<-p.ended
	}
}

// Close implements [io.Closer]: when it returns the program has ended.
func (p *program) Close() error {
	p.stop()
	return p.out.Close()
}
