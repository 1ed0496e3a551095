package actuator

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits of a pulse: how long a line or a relay is active. A gate that stays open lets
// everybody in.
const (
	DefaultPulse = 500 * time.Millisecond
	MostPulse    = 10 * time.Second
)

var errLeftOpen = errors.New("it may still be open")

// pulse makes something active for a time, at most MostPulse, and inactive again, whatever
// happens meanwhile. It is shorter where ctx ends or enough is closed. The outcome is Done
// once it was active, also where it could not be made inactive, which the error says.
func pulse(ctx context.Context, set func(active bool) error, length time.Duration, enough <-chan struct{}) (outcome Outcome, err error) {
	defer func() { // also of what has failed: it may have been heard all the same
		if left := set(false); left != nil {
			err = errors.Join(err, fmt.Errorf("%w: %w", errLeftOpen, left))
		}
	}()
	if err := set(true); err != nil {
		return Unknown, err
	}
	over := time.NewTimer(min(length, MostPulse))
	defer over.Stop()
	select {
	case <-over.C:
	case <-enough:
	case <-ctx.Done():
	}
	return Done, nil
}
