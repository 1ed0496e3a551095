package words

import (
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Whoever taps is told what became of it, whatever it is, in each language.
func TestEveryEndOfATapHasWords(t *testing.T) {
	for _, lang := range Languages {
		seen := make(map[string]bool)
		check := func(kind Kind, reason wire.Reason) {
			w := Of(lang, kind, reason)
			if w.Title == "" || w.Text == "" || seen[w.Title] {
				t.Errorf("%s: %s %s has no words of its own: %+v", lang, kind, reason, w)
			}
			seen[w.Title] = true
		}
		for _, kind := range []Kind{Paid, Unclaimed, NotOpened, Unread, Cancelled, Offline, OutOfOrder} {
			check(kind, "")
		}
		for _, reason := range append(wire.Reasons, "one that a newer paywall knows") {
			check(Refused, reason)
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
	if Of("de", Paid, "") != Of("en", Paid, "") {
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
