package tap

import (
	"context"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// willing grants whatever the paywall does not answer.
type willing struct{ Authority }

func (willing) Decides() bool                   { return true }
func (willing) Resume([]string) error           { return nil }
func (willing) Granted(Presented, wire.Verdict) {}
func (willing) Grant(Presented, wire.Tap, wire.Product) (string, wire.Reason, error) {
	return "of its own", "", nil
}

// The attack: whoever has found a card cuts the network once the kiosk asks for its PIN.
func TestACutNetworkIsNoPIN(t *testing.T) {
	g := &guarded{world: begin(t)}
	g.desk.Paywall, g.desk.Offline, g.desk.OfflinePatience = g, willing{}, g.desk.Patience
	cut := func(context.Context, bool) (wire.PIN, error) {
		g.cut = true
		return "9001", nil
	}
	if r := g.desk.Tap(t.Context(), Presented{PIN: cut}, coffee, false); r.Kind != Offline || g.opened != 0 {
		t.Errorf("the tap is %+v, and %d opened", r, g.opened)
	}
	if r := g.desk.Tap(t.Context(), Presented{PIN: cut}, coffee, false); r.Kind != Paid || !r.Alone {
		t.Errorf("a tap that the paywall has not seen is %+v", r)
	}
}

// guarded is a paywall that wants a PIN first.
type guarded struct {
	*world
	sent []wire.PIN
	cut  bool // nothing is answered any more
}

func (g *guarded) Tap(ctx context.Context, t wire.Tap) (wire.Verdict, error) {
	if g.cut {
		return wire.Verdict{}, client.ErrUncertain
	}
	given := wire.PIN("")
	if t.Answer != nil {
		given = t.Answer.PIN
		g.sent = append(g.sent, given)
	}
	switch {
	case !t.PINPad:
		return wire.Verdict{ID: t.ID, Outcome: wire.Refused, Reason: wire.PINNeeded, Product: coffee}, nil
	case given != "4711":
		return wire.Verdict{ID: t.ID, Outcome: wire.Asked, Ask: &wire.Ask{State: "sealed", PIN: true, Wrong: given != ""}, Product: coffee}, nil
	}
	return g.world.Tap(ctx, t)
}

// Whoever has tapped is asked until the PIN is right, and what they enter is sent and
// nowhere else.
func TestWhoeverTapsIsAskedForAPIN(t *testing.T) {
	g := &guarded{world: begin(t)}
	g.desk.Paywall = g
	var told []bool
	entries := []wire.PIN{"9001", "4711"}
	enter := func(_ context.Context, wrong bool) (wire.PIN, error) {
		told = append(told, wrong)
		if len(entries) == 0 {
			return "", ErrCancelled
		}
		next := entries[0]
		entries = entries[1:]
		return next, nil
	}
	if r := g.desk.Tap(t.Context(), Presented{PIN: enter}, coffee, false); r.Kind != Paid || g.opened != 1 {
		t.Errorf("the tap is %+v, and %d opened", r, g.opened)
	}
	if len(told) != 2 || told[0] || !told[1] || len(g.sent) != 2 {
		t.Errorf("they are told %v", told)
	}
	if r := g.desk.Tap(t.Context(), Presented{PIN: enter}, coffee, false); r.Kind != Cancelled || g.opened != 1 {
		t.Errorf("a tap without a PIN is %+v, and %d opened", r, g.opened)
	}
	if r := g.desk.Tap(t.Context(), Presented{}, coffee, false); r.Kind != Refused || r.Reason != wire.PINNeeded {
		t.Errorf("a tap where nobody can be asked is %+v", r)
	}
	if left, err := g.desk.Settle(t.Context()); left != 0 || err != nil || g.captured() != 1 {
		t.Errorf("%d are left, %v, and %d captured", left, err, g.captured())
	}
}
