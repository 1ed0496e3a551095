package actuator

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// desk is a paywall as a kiosk's browser finds it.
type desk struct {
	begins time.Time // when the browser has come; zero: never
	late   bool      // it comes as it is given up
	down   bool
	fault  error
	over   bool
	left   []wallet.OpID
}

func (d *desk) Session(_ context.Context, _ string, over bool) (wire.SessionState, error) {
	d.over = d.over || over
	if d.down {
		return wire.SessionState{}, client.ErrUncertain
	}
	return wire.SessionState{Begun: d.late && over || !d.begins.IsZero() && !time.Now().Before(d.begins)}, d.fault
}

func (d *desk) Leave(_ context.Context, tap wallet.OpID) error {
	if d.down {
		return client.ErrUncertain
	}
	d.left = append(d.left, tap)
	return nil
}

func TestTheKiosksBrowserComesForWhatATapHasPaid(t *testing.T) {
	for name, c := range map[string]struct {
		comes time.Duration // negative: never
		late  bool
		down  bool
		fault error
		want  Outcome
		over  bool
	}{
		"at once":                    {comes: time.Second, want: Done},
		"in time":                    {comes: 15 * time.Second, want: Done},
		"at the last instant":        {comes: -1, late: true, want: Done, over: true},
		"never":                      {comes: -1, want: Refused, over: true},
		"and nobody knows":           {comes: 5 * time.Second, down: true, want: Unknown, over: true},
		"for a product with nothing": {comes: -1, fault: client.RefusalError{Status: 400}, want: Refused},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := &desk{down: c.down, fault: c.fault, late: c.late}
			if c.comes > 0 {
				d.begins = time.Now().Add(c.comes)
			}
			var shown []string
			b := &Browser{Paywall: d, Show: func(code string) { shown = append(shown, code) }}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			o := opening
			o.Grant = "sealed"
			got, err := b.Open(ctx, o)
			if got != c.want || (err == nil) != (c.want == Done) || d.over != c.over || ctx.Err() != nil {
				t.Errorf("%s: %v, %v; given up %v; out of time: %v", name, got, err, d.over, ctx.Err())
			}
			if want := []string{"lobby.sealed", ""}; c.fault == nil && !slices.Equal(shown, want) {
				t.Errorf("%s: the browser is shown %q", name, shown)
			}
		})
	}
}

// A program that begins anew has not seen whether a card was taken away meanwhile.
func TestWhatCardsHaveOpenedEndsWithTheProgram(t *testing.T) {
	for _, whileCard := range []bool{true, false} {
		d := &desk{}
		b := &Browser{Paywall: d, Show: func(string) {}, WhileCard: whileCard}
		if err := errors.Join(b.Reset(t.Context()), b.Tell(t.Context())); err != nil || slices.Equal(d.left, []wallet.OpID{{}}) != whileCard {
			t.Errorf("%v: the paywall is told of %v, %v", whileCard, d.left, err)
		}
	}
}

// A card that is gone ends what it has opened, where that is wanted, and the next tap does
// so anyway.
func TestWhatATapHasOpenedEnds(t *testing.T) {
	for _, whileCard := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			d := &desk{begins: time.Now()}
			b := &Browser{Paywall: d, Show: func(string) {}, WhileCard: whileCard}
			b.Gone() // of a card that has opened nothing
			if got, err := b.Open(t.Context(), opening); got != Refused || err == nil {
				t.Errorf("a kiosk that is cut off: %v, %v", got, err)
			}
			first := opening
			first.Grant = "sealed"
			if got, err := b.Open(t.Context(), first); got != Done {
				t.Fatal(got, err)
			}
			b.Gone()
			d.down = true
			if err := b.Tell(t.Context()); whileCard != errors.Is(err, client.ErrUncertain) {
				t.Errorf("while the network is down: %v", err)
			}
			d.down = false
			if err := b.Tell(t.Context()); err != nil || (len(d.left) == 1) != whileCard {
				t.Errorf("%v: the paywall is told of %v, %v", whileCard, d.left, err)
			}
			next := first
			next.Tap[15]++
			if got, err := b.Open(t.Context(), next); got != Done || !slices.Equal(d.left, []wallet.OpID{opening.Tap}) {
				t.Errorf("at the next tap: %v, %v; %v has ended", got, err, d.left)
			}
		})
	}
}
