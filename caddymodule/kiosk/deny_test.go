package kiosk

import (
	"fmt"
	"testing"
)

// Kiosks hear of every card that is denied, however many, and of no card twice.
func TestDenialsReachAKiosk(t *testing.T) {
	s, m := offlineShop(t)
	k := m.kiosk()
	d, err := s.denials(t.Context(), k, 0)
	if err != nil || !d.All || d.Number != 1 {
		t.Fatalf("a new kiosk hears %+v, %v", d, err)
	}
	heard, want := d.Number, 0
	for round, n := range []int{1, denialBlock - 1, 1, denialBlock, 0, denialBlock * (denialAnswer + 1)} {
		for range n {
			want++
			if err := s.deny(t.Context(), fmt.Sprint(cardPrefix, want)); err != nil {
				t.Fatal(err)
			}
		}
		got := 0
		for more := true; more; {
			if d, err = s.denials(t.Context(), k, heard); err != nil || d.All {
				t.Fatalf("round %d: %+v, %v", round, d, err)
			}
			got, heard, more = got+len(d.Cards), d.Number, d.More
		}
		if got != n {
			t.Errorf("round %d: it hears of %d, want %d", round, got, n)
		}
	}
	for range denialBlock * denialBlocks {
		if err := s.deny(t.Context(), cardPrefix); err != nil {
			t.Fatal(err)
		}
	}
	if d, err = s.denials(t.Context(), k, heard); err != nil || !d.All {
		t.Errorf("whoever was away for long hears %+v, %v", d, err)
	}
}
