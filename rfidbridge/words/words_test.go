package words

import (
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Whoever taps is told what became of it, whatever it is, in each language.
func TestEveryEndOfATapHasWords(t *testing.T) {
	for _, lang := range Languages {
		seen := make(map[string]bool)
		check := func(r tap.Result) {
			w := Of(lang, r)
			if w.Title == "" || w.Text == "" || seen[w.Title] {
				t.Errorf("%s: %s %s has no words of its own: %+v", lang, r.Kind, r.Reason, w)
			}
			seen[w.Title] = true
		}
		for _, kind := range []tap.Kind{tap.Paid, tap.Unclaimed, tap.NotOpened, tap.Unread, tap.Cancelled, tap.Offline, tap.OutOfOrder} {
			check(tap.Result{Kind: kind})
		}
		for _, reason := range append(wire.Reasons, "one that a newer paywall knows") {
			check(tap.Result{Kind: tap.Refused, Reason: reason})
		}
		for key := range texts {
			if Text(lang, key) == "" {
				t.Errorf("%s: %s has no text", lang, key)
			}
		}
	}
	if len(reasons) != len(wire.Reasons) {
		t.Errorf("there are words for %d reasons of %d", len(reasons), len(wire.Reasons))
	}
	if Of("de", tap.Result{Kind: tap.Paid}) != Of("en", tap.Result{Kind: tap.Paid}) {
		t.Error("who understands no language is told nothing")
	}
}

func TestALanguageIsFound(t *testing.T) {
	for accept, want := range map[string]string{
		"": "en", "fr-CH, fr;q=0.9": "fr", "de, it;q=0.5": "it", "zz": "en", "it-IT": "it", ";;;": "en", "en-GB": "en",
	} {
		if got := Language(accept); got != want {
			t.Errorf("%q is %s, want %s", accept, got, want)
		}
	}
}
