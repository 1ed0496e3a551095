package page

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

func placeholders(text string) []string {
	found := placeholder.FindAllString(text, -1)
	slices.Sort(found)
	return found
}

func TestAllLanguagesHaveTheSameTextsAndPlaceholders(t *testing.T) {
	english := catalogues()["en"]
	for _, l := range locales {
		other := catalogues()[l.tag]
		if got, want := slices.Sorted(maps.Keys(other.Texts)), slices.Sorted(maps.Keys(english.Texts)); !slices.Equal(got, want) {
			t.Errorf("texts of %s are\n%v\nwant\n%v", l.tag, got, want)
		}
		if got, want := slices.Sorted(maps.Keys(other.Messages)), slices.Sorted(maps.Keys(english.Messages)); !slices.Equal(got, want) {
			t.Errorf("messages of %s are\n%v\nwant\n%v", l.tag, got, want)
		}
		for key, text := range other.Texts {
			if got, want := placeholders(text), placeholders(english.Texts[key]); !slices.Equal(got, want) {
				t.Errorf("%s of %s has %v, want %v", key, l.tag, got, want)
			}
		}
		for key, m := range other.Messages {
			if m.Title == "" || m.Text == "" || strings.HasSuffix(m.Title, ".") || !strings.HasSuffix(m.Text, ".") {
				t.Errorf("message %s of %s: a title without, a text with a full stop; have %q, %q", key, l.tag, m.Title, m.Text)
			}
			if strings.ContainsAny(m.Title+m.Text, "{}<>&") {
				t.Errorf("message %s of %s goes into plain text and JSON as it is", key, l.tag)
			}
		}
	}
}

func TestNoLanguageWasLeftUntranslated(t *testing.T) {
	english := catalogues()["en"]
	for _, tag := range []string{"fr", "it"} {
		for key, m := range catalogues()[tag].Messages {
			if m == english.Messages[key] {
				t.Errorf("message %s of %s is still English", key, tag)
			}
		}
	}
}

// TestEveryExportedKeyHasWords reads the constants from the source, so that
// none can be forgotten.
func TestEveryExportedKeyHasWords(t *testing.T) {
	source, err := os.ReadFile("keys.go")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "keys.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || strings.HasPrefix(spec.Names[0].Name, "Field") {
			return true
		}
		key, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		keys[key] = true
		return true
	})
	if got, want := slices.Sorted(maps.Keys(catalogues()["en"].Messages)), slices.Sorted(maps.Keys(keys)); !slices.Equal(got, want) {
		t.Errorf("messages are\n%v\nthe constants are\n%v", got, want)
	}
	for key := range keys {
		if !Known(key) {
			t.Errorf("%s is not known", key)
		}
	}
}

// TestEveryTextIsUsed finds what a deleted line of a template left behind.
func TestEveryTextIsUsed(t *testing.T) {
	var used strings.Builder
	for _, pattern := range []string{"layout", "forms", "challenge", "wallet", "problem", "cards", "session", "signedout", "tap", "till"} {
		text, err := templateFiles.ReadFile("templates/" + pattern + ".html")
		if err != nil {
			t.Fatal(err)
		}
		used.Write(text)
	}
	for _, name := range []string{"locale.go", "challenge.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		used.Write(text)
	}
	composed := []string{"entry.", "month."} // TestEveryKindOfEntryHasWords, TestDatesAndTimesAreInUTC
	for key := range catalogues()["en"].Texts {
		key = strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		isComposed := slices.ContainsFunc(composed, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if !isComposed && !strings.Contains(used.String(), `"`+key+`"`) {
			t.Errorf("nothing uses the text %q", key)
		}
	}
}

func TestMessagesAnswerInTheAskedLanguage(t *testing.T) {
	if got, want := Title("fr", Frozen), "Ce portefeuille est bloqué"; got != want {
		t.Errorf("title is %q, want %q", got, want)
	}
	if got, want := Text("it", Redeemed), "L’importo è nel tuo portafoglio."; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
	if got := Text("de", Redeemed); got != Text("en", Redeemed) {
		t.Errorf("a language we lack reads %q, want English", got)
	}
}

func TestAnUnknownKeySaysNothingOfWhatItWas(t *testing.T) {
	const forged = "<script>alert(1)</script>"
	if Known(forged) {
		t.Error("a forged key is known")
	}
	if got := Text("en", forged); got != Text("en", BadRequest) {
		t.Errorf("an unknown key reads %q", got)
	}
}

// TestUnknownVoidAndExpiredVouchersReadAlike: a guesser must not learn from
// the words whether a code ever existed.
func TestUnknownVoidAndExpiredVouchersReadAlike(t *testing.T) {
	for _, l := range locales {
		for _, word := range []string{"void", "expired", "expiré", "annulé", "scaduto", "annullato", "unknown", "inconnu", "sconosciuto"} {
			if strings.Contains(strings.ToLower(Title(l.tag, VoucherUnknown)+Text(l.tag, VoucherUnknown)), word) {
				t.Errorf("%s says %q", l.tag, word)
			}
		}
	}
}

func TestHalfASentenceIsAnError(t *testing.T) {
	for _, pairs := range [][]string{nil, {"now"}, {"now", "$1"}, {"now", "$1", "late", "$2"}, {"now", "$1", "after", "$2", "more", "$3"}} {
		if text, err := locales[0].text("standing.after", pairs...); err == nil {
			t.Errorf("%v made %q", pairs, text)
		}
	}
	if _, err := locales[0].text("no.such.text"); err == nil {
		t.Error("an unknown text is no error")
	}
}

// TestAValueIsNotReadForPlaceholders: a title in a text must not be able to
// pull another value in.
func TestAValueIsNotReadForPlaceholders(t *testing.T) {
	got, err := locales[0].text("standing.after", "now", "{after}", "after", "{now}")
	if err != nil || got != "In your wallet: {after} now, {now} after." {
		t.Errorf("%q, %v", got, err)
	}
}
