package page

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// hostile is text as an attacker would send it: tags, both quotes, a template
// action, marks that reorder what follows, a control character, broken UTF-8
// and text that really runs from right to left.
const hostile = `<script>alert('1')</script>"><b onclick="x">{{env "HOME"}}` +
	"\u202e\u2066\x00\x1b[31m\xff שלום"

func hostilePages(t *testing.T) map[string]page {
	frame := Frame{
		Lang: `en"><script>`, Currency: currency(t, "USD"), SiteName: hostile,
		Path: "/" + hostile, Notice: &Notice{Error: true, Key: hostile, Field: hostile}, RecoveryCode: hostile,
	}
	return map[string]page{
		"challenge": Challenge{
			Frame: frame, Title: hostile, Teaser: hostile, Quote: hostile, Return: hostile, HasWallet: true,
			Offers: []Offer{{Name: hostile, Price: cents(1), Affordable: true}, {Name: hostile, Visits: 2, Price: cents(1), Affordable: true}},
		},
		"wallet": Wallet{
			Frame: frame, Exists: true, First: true, ID: hostile, Next: hostile,
			Passes:  []Pass{{Title: hostile, Visits: 1}},
			Entries: []Entry{{Path: "/" + hostile, Note: hostile}, {Path: "//evil.example/x"}, {Path: "javascript:alert(1)"}},
		},
		"tap": Tap{Frame: frame, Token: hostile, Title: hostile, Text: hostile, Page: hostile, Ask: hostile},
		"till": Till{
			Frame: frame, Kiosk: hostile, Tap: hostile, Format: hostile, Formats: []string{hostile}, Products: []Goods{{Name: hostile, Title: hostile}},
			Product: &Goods{Name: hostile, Title: hostile, Decimal: hostile}, Result: &TillResult{Title: hostile, Text: hostile, Grant: hostile, Claim: "/" + hostile},
		},
		"problem": Problem{Frame: frame, Key: hostile, Return: "/" + hostile},
		"cards": Cards{Frame: frame, Exists: true, Claim: hostile, Return: hostile, Cards: []Card{
			{ID: hostile, Name: hostile, Tap: hostile, Day: hostile}, {ID: hostile, Name: hostile, Replaced: true},
		}},
	}
}

func TestWhateverComesInStaysText(t *testing.T) {
	for name, p := range hostilePages(t) {
		t.Run(name, func(t *testing.T) {
			text := rendered(t, p)
			wellFormed(t, text)
			for _, n := range nodes(t, text) {
				if n.Data == "script" && !strings.Contains(policyOf(p), source(n.FirstChild.Data)) || n.Data == "b" {
					t.Errorf("<%s> got out", n.Data)
				}
				checkAttributes(t, n)
			}
			if !utf8.ValidString(text) {
				t.Error("the page is not UTF-8")
			}
		})
	}
}

// TestATitleIsNotExecutedByATemplatesDirective: a site that runs Caddy's
// templates over its answers must not run what a title says.
func TestATitleIsNotExecutedByATemplatesDirective(t *testing.T) {
	for name, p := range hostilePages(t) {
		if text := rendered(t, p); strings.Contains(text, "{{") {
			t.Errorf("%s: a template action reached the page", name)
		}
	}
	c := challenge(t, "rich")
	c.Title, c.Quote = `{{{env "HOME"}}}`, "{{quote}}"
	text := rendered(t, c)
	if got := content(one(t, text, "h1")); got != `{{{env "HOME"}}}` {
		t.Errorf("the browser shows %q", got)
	}
	if got := field(t, text, PayPath, "quote"); got != "{{quote}}" {
		t.Errorf("the browser sends back %q", got)
	}
}

// TestNothingReordersThePage: one mark could show "01.0$" for "$0.10".
func TestNothingReordersThePage(t *testing.T) {
	for name, p := range map[string]page{
		"challenge": Challenge{Frame: Frame{SiteName: hostile}, Title: hostile, Teaser: hostile},
		"wallet": Wallet{
			Frame: Frame{SiteName: hostile}, Exists: true, First: true, Passes: []Pass{{Title: hostile}},
			Entries: []Entry{{Path: "/" + hostile, Note: hostile}},
		},
		"cards": Cards{Frame: Frame{SiteName: hostile}, Exists: true, Claim: "x", Cards: []Card{{Name: hostile}, {Name: hostile, Replaced: true}}},
	} {
		text := rendered(t, p)
		if strings.ContainsAny(text, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x00\x1b") {
			t.Errorf("%s: a mark got through", name)
		}
		for _, n := range nodes(t, text) {
			isolated := n.Data == "bdi" || attribute(n, "dir") == "auto" || n.Data == "title"
			if n.FirstChild != nil && strings.Contains(n.FirstChild.Data, "שלום") && !isolated {
				t.Errorf("%s: text of unknown direction in a bare <%s>", name, n.Data)
			}
		}
	}
}

func TestLongTextIsCutBetweenCharacters(t *testing.T) {
	got := clean(strings.Repeat("é", 500), maxTitle)
	if utf8.RuneCountInString(got) != maxTitle || !strings.HasSuffix(got, "é…") {
		t.Errorf("cut to %d characters", utf8.RuneCountInString(got))
	}
	if got := clean("  one\n\ttwo \u00a0 ", maxTitle); got != "one two" {
		t.Errorf("blanks become %q", got)
	}
	if got := clean(strings.Repeat("x", maxTitle), maxTitle); len(got) != maxTitle {
		t.Errorf("what fits was cut to %d", len(got))
	}
}
