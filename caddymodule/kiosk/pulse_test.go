package kiosk

import (
	"slices"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

func TestTheOperatorSeesHowKiosksAre(t *testing.T) {
	s := open(t)
	a, b := s.enrol("lobby"), s.enrol("attic")
	for _, m := range []*machine{a, b} {
		if _, err := s.Report(t.Context(), m.authenticated(wire.StatePath, ""), wire.State{Backlog: 2, Readers: []wire.Reader{{Name: "a"}, {Name: "b", Fault: "unplugged"}}}); err != nil {
			t.Fatal(err)
		}
	}
	want := []Pulse{{"attic", s.clock.Now(), 2, 2, 1}, {"lobby", s.clock.Now(), 2, 2, 1}}
	if got := s.Notes.Pulses(); !slices.Equal(got, want) {
		t.Errorf("they are %+v", got)
	}
	if err := s.Disable(t.Context(), "attic", true); err != nil {
		t.Fatal(err)
	}
	if got := s.Notes.Pulses(); !slices.Equal(got, want[1:]) {
		t.Errorf("with one disabled they are %+v", got)
	}
}

func TestHeldTapsAreCountedUntilTheyEnd(t *testing.T) {
	var n Notes
	now := time.Now()
	for i := range sweepAt {
		n.pulses.holds([16]byte{byte(i), byte(i >> 8)}, now.Add(time.Second), now)
	}
	n.pulses.holds([16]byte{15: 1}, now.Add(time.Minute), now.Add(2*time.Second))
	n.pulses.holds([16]byte{15: 2}, now.Add(time.Minute), now)
	if got := len(n.pulses.held); got != 2 {
		t.Errorf("%d are remembered, though most are over", got)
	}
	n.pulses.ended([16]byte{15: 2})
	if got := n.Held(now); got != 1 {
		t.Errorf("one waits, and %d are told", got)
	}
	if got := n.Held(now.Add(time.Minute)); got != 0 {
		t.Errorf("its time is over, and %d are told", got)
	}
}
