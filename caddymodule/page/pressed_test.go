package page

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// hostileParts is what text from outside is put together from, to break out of
// every place that it stands in.
var hostileParts = []string{
	"<script>", "</title>", "</p>", `"`, "'", "&", "&amp;", "+", "%", "%2F", "%zz", "{", "{{", "}}", "{{env \"HOME\"}}",
	"\x00", "\x1b", "\t", "\n", " ", "\u00a0", "\u202e", "\u2066", "\ufeff", "\u2028", "\ufffd", "\xff", "\xe2\x82", "\\", "//", "/",
	"?", "#", "=", ";", ":", "lang=", "?lang=it", "&x=1", "a=1&z=2", "javascript:", "שלום", "’", "é", "plain", strings.Repeat("long ", 250),
}

func hostileText() *rapid.Generator[string] {
	part := rapid.OneOf(rapid.SampledFrom(hostileParts), rapid.String())
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(part, 0, 6).Draw(t, "parts"), "") })
}

func hostilePath() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"/", "/articles/1", "/articles/1?", "//", ""}).Draw(t, "beginning") + hostileText().Draw(t, "rest")
	})
}

// bothWays is a page rendered, and pressed.
func bothWays(t interface{ Fatal(...any) }, c Challenge) (rendered, pressed string) {
	var page strings.Builder
	if err := c.Render(&page); err != nil {
		t.Fatal(err)
	}
	got, err := NewPressed(c).Append([]byte("before "), Stranger{c.Lang, c.Title, c.Teaser, c.Path, c.Return})
	if err != nil {
		t.Fatal(err)
	}
	pressed, kept := strings.CutPrefix(string(got), "before ")
	if !kept {
		t.Fatal("what was there is lost")
	}
	return page.String(), pressed
}

func TestAPressedPageIsTheRenderedOneForEverySampleOfAStranger(t *testing.T) {
	for _, l := range locales {
		for name, c := range sampleChallenges(Frame{Lang: l.tag, Currency: currency(t, "EUR"), SiteName: "R & D", Path: "/articles/1?x=1"}) {
			c.HasWallet, c.Notice, c.RecoveryCode = false, nil, ""
			if want, got := bothWays(t, c); got != want {
				t.Errorf("%s in %s: pressed it is\n%s\nrendered\n%s", name, l.tag, got, want)
			}
		}
	}
}

func TestAPressedPageIsTheRenderedOneForWhateverComesIn(t *testing.T) {
	usd := currency(t, "USD")
	rapid.Check(t, func(t *rapid.T) {
		c := Challenge{
			Frame: Frame{
				Lang: rapid.SampledFrom([]string{"en", "fr", "it", "de", ""}).Draw(t, "lang"), Currency: usd,
				SiteName: rapid.SampledFrom([]string{"", "Small Change", hostile}).Draw(t, "site"), Path: hostilePath().Draw(t, "path"),
			},
			Title: hostileText().Draw(t, "title"), Teaser: hostileText().Draw(t, "teaser"), Return: hostilePath().Draw(t, "return"),
			Quote: "never.shown", Window: 24 * time.Hour, Offers: []Offer{{Name: "view", Price: cents(10), Affordable: true}},
			Balance: cents(500), Visits: 3, // of no wallet: neither is shown
		}
		if want, got := bothWays(t, c); got != want {
			t.Fatalf("pressed it is\n%s\nrendered\n%s", got, want)
		}
	})
}

func FuzzPressed(f *testing.F) {
	f.Add("The Lamp", "A keeper counts ships.", "/articles/1?from=front", "/articles/1", uint8(0))
	f.Add(hostile, hostile, "/"+hostile, "/"+hostile, uint8(1))
	f.Add("", "", "//evil.example", "/?lang=it&a=1&z=2#top", uint8(2))
	f.Fuzz(func(t *testing.T, title, teaser, back, path string, lang uint8) {
		c := Challenge{Title: title, Teaser: teaser, Return: back, Window: time.Hour}
		c.Lang, c.Path = locales[int(lang)%len(locales)].tag, path
		if want, got := bothWays(t, c); got != want {
			t.Fatalf("pressed it is\n%s\nrendered\n%s", got, want)
		}
	})
}

// One press serves all the crowd: no value of one page may stay in the next.
func TestAPressKeepsNothingOfAPage(t *testing.T) {
	p := NewPressed(challenge(t, "stranger"))
	first := Stranger{"en", "The Lamp", "A keeper counts ships.", "/articles/1", "/articles/1"}
	if _, err := p.Append(nil, first); err != nil {
		t.Fatal(err)
	}
	second, err := p.Append(nil, Stranger{"en", "The Letter", "It never came.", "/research/1", "/research/1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []string{first.Title, first.Teaser, first.Path} {
		if strings.Contains(string(second), of) {
			t.Errorf("the second page holds %q of the first", of)
		}
	}
	if allocations := testing.AllocsPerRun(100, func() { _, _ = p.Append(second[:0], first) }); allocations > 1 {
		t.Errorf("a page allocates %v times, want at most once, for its address", allocations)
	}
}

func BenchmarkPressed(b *testing.B) {
	c := sampleChallenges(Frame{Lang: "fr", Currency: currency(b, "EUR"), Path: "/articles/1"})["stranger"]
	p := NewPressed(c)
	var page []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if page, err = p.Append(page[:0], Stranger{c.Lang, c.Title, c.Teaser, c.Path, c.Return}); err != nil {
			b.Fatal(err)
		}
	}
}
