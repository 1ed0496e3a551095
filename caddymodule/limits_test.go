package caddymodule

import (
	"fmt"
	"testing"
	"time"
)

// tallyAt is a tally of three in a minute, and the clock it reads.
func tallyAt() (*tally, *time.Time) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	return newTally(3, time.Minute, func() time.Time { return now }), &now
}

func TestATallyIsSpentUntilItsPeriodEnds(t *testing.T) {
	counted, now := tallyAt()
	for i := range 3 {
		if _, spent := counted.spent("a"); spent {
			t.Fatalf("spent after %d events", i)
		}
		counted.add("a")
		*now = now.Add(10 * time.Second)
	}
	if wait, spent := counted.spent("a"); !spent || wait != 30*time.Second {
		t.Errorf("after three events: spent %t, for %v", spent, wait)
	}
	if _, spent := counted.spent("b"); spent {
		t.Error("another key is spent too")
	}
	*now = now.Add(30 * time.Second)
	if _, spent := counted.spent("a"); spent {
		t.Error("spent at the end of the period")
	}
	counted.add("a")
	if _, spent := counted.spent("a"); spent {
		t.Error("the new period does not begin at one")
	}
}

// A flood of addresses must not push out the one that is guessing.
func TestAFullTallyRefusesNewKeysAndForgetsNone(t *testing.T) {
	counted, now := tallyAt()
	for range 3 {
		counted.add("guesser")
	}
	for i := range 2 * maxTallies {
		counted.add(fmt.Sprint(i))
	}
	if len(counted.counts) != maxTallies {
		t.Errorf("%d keys are remembered, want %d", len(counted.counts), maxTallies)
	}
	if _, spent := counted.spent("guesser"); !spent {
		t.Error("the flood has made the tally forget")
	}
	if wait, spent := counted.spent("newcomer"); !spent || wait != time.Minute {
		t.Errorf("a newcomer to a full tally: spent %t, for %v", spent, wait)
	}
	*now = now.Add(time.Minute)
	if _, spent := counted.spent("newcomer"); spent || len(counted.counts) != 0 {
		t.Errorf("after the period: spent %t, %d keys", spent, len(counted.counts))
	}
}

func TestAnAddressIsCountedByWhatOneSubscriberHas(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7":              "192.0.2.7",
		"::ffff:192.0.2.7":       "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":   "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::1":   "2001:db8:1:2::/64",
		"fe80::1%eth0":           "fe80::/64",
		"":                       "",
		"@":                      "@",
		"not an address at all ": "not an address at all ",
	} {
		if got := addressKey(address); got != want {
			t.Errorf("%q is counted as %q, want %q", address, got, want)
		}
	}
}
