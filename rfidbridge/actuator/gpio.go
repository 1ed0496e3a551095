package actuator

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// GPIO opens by a pulse on a line of a GPIO chip, to which a relay, a lock or a turnstile is
// attached. The line is held inactive between pulses; when the program ends, however it
// does, the kernel lets go of it, and a pull-down of the relay's board keeps it so.
type GPIO struct {
	Lines  Lines
	Output Line
	Pulse  time.Duration // at most MostPulse

	// Passage, where there is one, is a line that becomes active when somebody passes or
	// something falls. Then the outcome is Done if that has happened within a time that
	// begins with the pulse, and Refused if not: so long must the gate be locked again
	// after it. The pulse ends with it, lest a second one follows the first.
	Passage        *Line
	PassageTimeout time.Duration

	mu     sync.Mutex
	driven Driven // nil: not had yet, or no more
}

// Line is one of a GPIO chip's.
type Line struct {
	Chip      string // its label, or its path
	Offset    int
	ActiveLow bool // active is when there is no voltage
}

// Lines are those of this machine; see [Chips].
type Lines interface {
	// Output drives a line, inactive at first.
	Output(l Line) (Driven, error)
	// Edges calls edge each time that a line becomes active, until what it returns is closed.
	Edges(l Line, edge func()) (io.Closer, error)
}

// Driven is a line that is had as an output.
type Driven interface {
	Set(active bool) error
	io.Closer
}

// Reset implements [Resetter]: from now on the line is held inactive.
func (g *GPIO) Reset(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.take()
}

// take has the line, inactive.
func (g *GPIO) take() (err error) {
	if g.driven == nil {
		g.driven, err = g.Lines.Output(g.Output)
	}
	return err
}

// set makes the line active or inactive. One that fails is had anew the next time.
func (g *GPIO) set(active bool) error {
	if g.driven == nil {
		return errors.New("the line was lost")
	}
	err := g.driven.Set(active)
	if err != nil {
		err = errors.Join(err, g.driven.Close())
		g.driven = nil
	}
	return err
}

// Open implements [Actuator].
func (g *GPIO) Open(ctx context.Context, _ Opening) (Outcome, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return refused("it is too late to open: %w", err)
	}
	if err := g.take(); err != nil {
		return refused("the line cannot be had: %w", err)
	}
	if g.Passage == nil {
		return pulse(ctx, g.set, g.Pulse, nil)
	}
	return g.letThrough(ctx)
}

// letThrough opens, and waits for who passes.
func (g *GPIO) letThrough(ctx context.Context) (Outcome, error) {
	p := passage{seen: make(chan struct{})}
	watched, err := g.Lines.Edges(*g.Passage, p.edge)
	if err != nil {
		return refused("who passes could not be seen: %w", err)
	}
	defer watched.Close()
	late := time.NewTimer(g.PassageTimeout)
	defer late.Stop()
	outcome, err := pulse(ctx, func(active bool) error {
		if active {
			p.opening.Store(true)
		}
		return g.set(active)
	}, g.Pulse, p.seen)
	if outcome != Done {
		return outcome, err
	}
	select {
	case <-p.seen:
	case <-late.C:
		outcome = Refused
	case <-ctx.Done():
		outcome = Unknown
	}
	if outcome = p.after(outcome); outcome != Done {
		err = errors.Join(errors.New("nobody has passed"), err)
	}
	return outcome, err
}

// passage is somebody's, who passes while it is opened for them. Who passes before, still on
// somebody else's account, does not count.
type passage struct {
	opening atomic.Bool
	once    sync.Once
	seen    chan struct{} // closed
}

func (p *passage) edge() {
	if p.opening.Load() {
		p.once.Do(func() { close(p.seen) })
	}
}

// after is the outcome of a wait: a passage at the very end of the time is one.
func (p *passage) after(wait Outcome) Outcome {
	select {
	case <-p.seen:
		return Done
	default:
		return wait
	}
}
