package page

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestALanguageIsMatchedOnceForEachHeader(t *testing.T) {
	var c choices
	asked := 0
	choose := func(value string) string { asked++; return value[:2] }
	for range 3 {
		for _, value := range []string{"fr-CA,fr;q=0.9", "it"} {
			if got := c.of(value, choose); got != value[:2] {
				t.Errorf("%q reads %q", value, got)
			}
		}
	}
	if asked != 2 {
		t.Errorf("matched %d times, want once for each of two", asked)
	}
}

// Attack: a new Accept-Language with every request, to fill the memory.
func TestAFloodOfLanguagesIsForgotten(t *testing.T) {
	var c choices
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 2 * maxChoices {
				value := fmt.Sprintf("fr;q=0.%d%d", worker, i)
				if got := c.of(value, func(string) string { return value }); got != value {
					t.Errorf("%q reads %q", value, got)
				}
			}
		})
	}
	group.Wait()
	if len(c.chosen) == 0 || len(c.chosen) > maxChoices {
		t.Errorf("%d are remembered, want 1 to %d", len(c.chosen), maxChoices)
	}
	before := len(c.chosen)
	c.of(strings.Repeat("f", maxChoice+1), func(string) string { return "fr" })
	if len(c.chosen) > before {
		t.Error("one that is longer than any browser's is remembered")
	}
}
