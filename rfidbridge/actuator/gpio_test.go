package actuator

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// board has lines in memory: an output, which notes how it was driven, and an input.
type board struct {
	begun time.Time
	log   []string // such as "on 0s"
	fails string   // which step does: output, edges, on or off

	active, driven bool

	mu   sync.Mutex // for edge, which is called by who passes
	edge func()
}

// watched has a passage told to somebody; nil: to nobody.
func (b *board) watched(by func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.edge = by
}

var errBroken = errors.New("broken")

func (b *board) Output(l Line) (Driven, error) {
	if b.fails == "output" || l != relayLine {
		return nil, errBroken
	}
	b.active, b.driven = false, true
	return b, nil
}

func (b *board) Edges(l Line, edge func()) (io.Closer, error) {
	if b.fails == "edges" || l != turnstileLine {
		return nil, errBroken
	}
	b.watched(edge)
	return closer(func() { b.watched(nil) }), nil
}

type closer func()

func (c closer) Close() error { c(); return nil }

func (b *board) Set(active bool) error {
	what := "off"
	if active {
		what = "on"
	}
	if b.fails == what {
		return errBroken
	}
	if !b.driven {
		return errors.New("it is not driven")
	}
	b.active = active
	b.log = append(b.log, what+" "+time.Since(b.begun).String())
	return nil
}

func (b *board) Close() error {
	b.active, b.driven = false, false // a pull-down
	return nil
}

// pass has somebody pass after a time.
func (b *board) pass(after time.Duration) {
	time.AfterFunc(after, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.edge != nil {
			b.edge()
		}
	})
}

var relayLine, turnstileLine = Line{Chip: "pinctrl-bcm2711", Offset: 17, ActiveLow: true}, Line{Chip: "pinctrl-bcm2711", Offset: 27}

const pulseLength, passageTime = 300 * time.Millisecond, 2 * time.Second

// opens lets a board open once, in time that passes at once, and checks that it is at rest
// afterwards, and what is heard of it.
func opens(t *testing.T, passage bool, prepare func(b *board, cancel func()), want Outcome, log ...string) error {
	t.Helper()
	var failed error
	synctest.Test(t, func(t *testing.T) {
		b := &board{begun: time.Now()}
		g := &GPIO{Lines: b, Output: relayLine, Pulse: pulseLength}
		if passage {
			g.Passage, g.PassageTimeout = &turnstileLine, passageTime
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		prepare(b, cancel)
		var got Outcome
		got, failed = g.Open(ctx, opening)
		if got != want || (failed == nil) != (got == Done && b.fails == "") {
			t.Errorf("it is %v, %v, want %v", got, failed, want)
		}
		if strings.Join(b.log, ", ") != strings.Join(log, ", ") {
			t.Errorf("the line is %q, want %q", b.log, log)
		}
		if b.active || b.edge != nil {
			t.Error("it is not at rest")
		}
	})
	return failed
}

func TestALineIsActiveForAPulse(t *testing.T) {
	opens(t, false, func(*board, func()) {}, Done, "on 0s", "off 300ms")
	opens(t, false, func(_ *board, cancel func()) { time.AfterFunc(100*time.Millisecond, cancel) }, Done, "on 0s", "off 100ms")
	opens(t, false, func(_ *board, cancel func()) { cancel() }, Refused)
	opens(t, false, func(b *board, _ func()) { b.fails = "output" }, Refused)
	opens(t, false, func(b *board, _ func()) { b.fails = "on" }, Unknown)
	if err := opens(t, false, func(b *board, _ func()) { b.fails = "off" }, Done, "on 0s"); !errors.Is(err, errLeftOpen) {
		t.Errorf("of a line that stays active is said %v", err)
	}
}

// Who has paid and does not pass gets the money back; who passes, at whatever moment of the
// time, has bought it.
func TestWhoDoesNotPassDoesNotPay(t *testing.T) {
	after := func(d time.Duration) func(*board, func()) {
		return func(b *board, _ func()) { b.pass(d) }
	}
	opens(t, true, func(*board, func()) {}, Refused, "on 0s", "off 300ms")
	opens(t, true, after(time.Second), Done, "on 0s", "off 300ms")
	opens(t, true, after(passageTime-1), Done, "on 0s", "off 300ms")
	opens(t, true, after(passageTime+1), Refused, "on 0s", "off 300ms")
	opens(t, true, after(pulseLength), Done, "on 0s", "off 300ms")
	opens(t, true, func(_ *board, cancel func()) { time.AfterFunc(time.Second, cancel) }, Unknown, "on 0s", "off 300ms")
	opens(t, true, func(b *board, _ func()) { b.fails = "edges" }, Refused)
	opens(t, true, func(b *board, _ func()) { b.fails = "on" }, Unknown)
}

// The attack: two pass for one payment, the second close behind the first.
func TestTheGateIsShutBehindWhoHasPassed(t *testing.T) {
	opens(t, true, func(b *board, _ func()) { b.pass(100 * time.Millisecond); b.pass(150 * time.Millisecond) }, Done, "on 0s", "off 100ms")
}

// The attack: somebody without a card passes before it is opened for who has one, and is
// taken for them.
func TestWhoPassesBeforeItIsOpenedDoesNotCount(t *testing.T) {
	p := passage{seen: make(chan struct{})}
	p.edge()
	if p.after(Refused) != Refused {
		t.Error("a passage before the pulse counts")
	}
	p.opening.Store(true)
	p.edge()
	p.edge()
	if p.after(Refused) != Done {
		t.Error("a passage after its beginning does not")
	}
}

func TestNoPulseIsLongerThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{begun: time.Now()}
		g := &GPIO{Lines: b, Output: relayLine, Pulse: time.Hour}
		if got, err := g.Open(t.Context(), opening); got != Done || err != nil || b.log[1] != "off 10s" {
			t.Errorf("it is %v, %v: %q", got, err, b.log)
		}
	})
}

// A panic in the middle of a pulse leaves no gate open.
func TestAPanicLeavesNothingOpen(t *testing.T) {
	var last bool
	func() {
		defer func() {
			if recover() == nil {
				t.Error("nothing panicked")
			}
		}()
		_, _ = pulse(t.Context(), func(active bool) error {
			if last = active; active {
				panic("in the middle")
			}
			return nil
		}, time.Second, nil)
	}()
	if last {
		t.Error("it is left open")
	}
}

// Before the first tap a line is inactive, and it is held so between taps; a line that has
// failed is had anew.
func TestALineIsHeldAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &board{begun: time.Now(), active: true} // as a crash has left it
		g := &GPIO{Lines: b, Output: relayLine, Pulse: pulseLength}
		if err := g.Reset(t.Context()); err != nil || b.active || !b.driven {
			t.Fatalf("at the start: %v, active %v", err, b.active)
		}
		if got, err := g.Open(t.Context(), opening); got != Done || err != nil || !b.driven {
			t.Errorf("it is %v, %v", got, err)
		}
		for _, broken := range []string{"off", "on"} {
			b.fails = broken
			if _, err := g.Open(t.Context(), opening); err == nil || b.driven {
				t.Errorf("a line that fails to go %s: %v", broken, err)
			}
			b.fails = ""
			if got, err := g.Open(t.Context(), opening); got != Done || err != nil {
				t.Errorf("after it: %v, %v", got, err)
			}
		}
	})
}
