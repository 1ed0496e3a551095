package wallet

import (
	"crypto/rand"
	"testing"
	"time"
)

func TestRingsAreEqualIfTheyMintAndVerifyTheSame(t *testing.T) {
	now := time.Now()
	ring, err := NewKeyring("here", time.Hour, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	read := func(text, paywall string, lifetime time.Duration) *Keyring {
		t.Helper()
		again, err := ParseKeyring(text, paywall, lifetime)
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	if !ring.Equal(ring) || !ring.Equal(read(ring.Text(), "here", time.Hour)) {
		t.Error("a ring is not equal to itself, written and read")
	}
	rotated, err := ring.Rotate(now.Add(time.Minute), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := NewKeyring("here", time.Hour, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]*Keyring{
		"with another key": foreign, "that has a newer key": rotated,
		"of another paywall":    read(ring.Text(), "there", time.Hour),
		"with another lifetime": read(ring.Text(), "here", 2*time.Hour),
	} {
		if ring.Equal(other) || other.Equal(ring) {
			t.Errorf("a ring is equal to one %s", name)
		}
	}
}
