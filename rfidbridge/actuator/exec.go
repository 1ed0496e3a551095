package actuator

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"time"
)

// Exec runs a program for each tap, without a shell. It finds PAYWALL_TAP, PAYWALL_KIOSK and
// PAYWALL_PRODUCT in its environment, and nothing else but PATH. Exit status 0 is done, any
// other is refused; one that has to be killed is unknown.
type Exec struct {
	Argv []string
}

// killAfter is how long a program that was asked to end is waited for.
const killAfter = time.Second

// Open implements [Actuator].
func (e Exec) Open(ctx context.Context, o Opening) (Outcome, error) {
	command := exec.CommandContext(ctx, e.Argv[0], e.Argv[1:]...) //nolint:gosec // it is the operator's to say what is run
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "PAYWALL_TAP=" + o.Tap.String(), "PAYWALL_KIOSK=" + o.Kiosk, "PAYWALL_PRODUCT=" + o.Product,
	}
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = killAfter
	err := command.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return Unknown, ctx.Err()
	case err == nil:
		return Done, nil
	case errors.As(err, &exit) && exit.Exited():
		return refused("the program: %w", err)
	case errors.As(err, &exit):
		return Unknown, err
	}
	return refused("the program cannot be run: %w", err)
}
