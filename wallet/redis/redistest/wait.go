package redistest

import (
	"testing"
	"time"
)

const (
	// patience is how long anything is waited for: long, because a machine that
	// runs all tests at once is slow, and a test that passes never waits it out.
	patience = 30 * time.Second
	// pause is how long to wait before asking again.
	pause = 10 * time.Millisecond
)

// eventually asks until there is no objection, and fails the test with the last
// one when patience is over. What is what was waited for.
func eventually(t testing.TB, what string, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %v: %v", what, patience, err)
		}
		time.Sleep(pause)
	}
}
