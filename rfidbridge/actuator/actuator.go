// Package actuator opens what a tap has paid for: it drives a line of this machine or a relay
// on a serial line, or tells another machine, by a signed webhook, by MQTT or by running a
// program, or nobody. Or it opens pages of the site in the kiosk's own browser.
//
// It promises that an answer is one of three: done, refused, or unknown, when nobody can tell
// whether it was opened; that what it drives itself is at rest again after a time that is
// limited; that nothing is still under way to whoever opens once it has answered; and that a grant which is sent again
// can be recognised by its tap. It knows nothing of cards and money.
package actuator

import (
	"context"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Opening is what is to be opened.
type Opening struct {
	Tap     wallet.OpID `json:"tap"` // the same when it is asked for again
	Kiosk   string      `json:"kiosk"`
	Product string      `json:"product"`
	Grant   string      `json:"-"` // the paywall's, for the kiosk alone
}

// Outcome is what became of it.
type Outcome int

// The outcomes.
const (
	Unknown Outcome = iota // it may have been opened
	Done                   // the product has been handed out
	Refused                // it has not
)

func (o Outcome) String() string {
	switch o {
	case Done:
		return "done"
	case Refused:
		return "refused"
	}
	return "unknown"
}

// Actuator opens. It is called for one tap at a time. The error says why an outcome is not
// Done, or what is wrong though it is.
type Actuator interface {
	Open(ctx context.Context, o Opening) (Outcome, error)
}

// Resetter is an actuator that a crash may have left open. Reset brings it to rest; it is
// called before the first tap.
type Resetter interface {
	Reset(ctx context.Context) error
}

// None opens nothing: the verdict on the screen is all that somebody waits for.
type None struct{}

// Open implements [Actuator].
func (None) Open(context.Context, Opening) (Outcome, error) { return Done, nil }

// Func is a function that opens.
type Func func(ctx context.Context, o Opening) (Outcome, error)

// Open implements [Actuator].
func (f Func) Open(ctx context.Context, o Opening) (Outcome, error) { return f(ctx, o) }

func refused(format string, args ...any) (Outcome, error) {
	return Refused, fmt.Errorf(format, args...)
}
