package simulate

import (
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Whoever taps is told what became of it, whatever it is.
func TestEveryEndOfATapHasWords(t *testing.T) {
	for _, kind := range []tap.Kind{tap.Paid, tap.Unclaimed, tap.NotOpened, tap.Offline, tap.OutOfOrder} {
		if w := wordsOf(tap.Result{Kind: kind}); w.Title == "" || w.Text == "" {
			t.Errorf("%s has no words", kind)
		}
	}
	for _, reason := range append(wire.Reasons, "one that a newer paywall knows") {
		if w := wordsOf(tap.Result{Kind: tap.Refused, Reason: reason}); w.Title == "" || w.Text == "" {
			t.Errorf("%s has no words", reason)
		}
	}
	if len(reasons) != len(wire.Reasons) {
		t.Errorf("there are words for %d reasons of %d", len(reasons), len(wire.Reasons))
	}
}
