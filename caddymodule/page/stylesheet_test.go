package page

import (
	"crypto/sha256"
	"encoding/base64"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestThePolicyAllowsExactlyTheInlinedStyle compares with the bytes a browser
// hashes: all between the tags.
func TestThePolicyAllowsExactlyTheInlinedStyle(t *testing.T) {
	for _, l := range locales {
		for name, p := range samples(t, l.tag) {
			_, rest, _ := strings.Cut(rendered(t, p), "<style>")
			style, rest, closed := strings.Cut(rest, "</style>")
			sum := sha256.Sum256([]byte(style))
			want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"
			if !closed || len(style) < 1000 || !strings.Contains(policyOf(p), want) {
				t.Errorf("%s in %s: the policy %q does not allow the style, which needs %q", name, l.tag, policyOf(p), want)
			}
			if strings.Contains(rest, "<style") {
				t.Errorf("%s in %s: a second style", name, l.tag)
			}
		}
	}
}

func TestThePolicyForbidsTheRest(t *testing.T) {
	for _, want := range []string{"default-src 'none'", "img-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(ContentSecurityPolicy, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, weak := range []string{"unsafe", "script-src", "*", "http", "data:", "\n"} {
		if strings.Contains(ContentSecurityPolicy, weak) {
			t.Errorf("%q weakens it", weak)
		}
	}
}

// White space around these marks means nothing, and neither does the last
// semicolon of a block (CSS Syntax 3 §5.4).
var (
	aroundMark    = regexp.MustCompile(`\s*([{};,])\s*`)
	afterColon    = regexp.MustCompile(`:\s+`)
	lastSemicolon = regexp.MustCompile(`;}`)
	quoted        = regexp.MustCompile(`"[^"]*"`)
)

func TestACompactStylesheetSaysTheSame(t *testing.T) {
	for _, text := range append(quoted.FindAllString(styleSource, -1), quoted.ReplaceAllString(styleSource, "")) {
		if strings.HasPrefix(text, `"`) && strings.ContainsAny(text, "{};:,") || strings.Contains(text, "/*") {
			t.Errorf("compact does not know what to leave alone in %s", text)
		}
	}
	want := lastSemicolon.ReplaceAllString(afterColon.ReplaceAllString(aroundMark.ReplaceAllString(styleSource, "$1"), ":"), "}")
	if stylesheet != want {
		t.Errorf("the page has\n%s\nwant\n%s", stylesheet, want)
	}
	if len(stylesheet) > len(styleSource)*9/10 {
		t.Errorf("%d bytes of %d are left", len(stylesheet), len(styleSource))
	}
}

func TestTheStylesheetLoadsNothing(t *testing.T) {
	for _, loading := range []string{"url(", "@import", "@font-face", "{{", "<"} {
		if strings.Contains(stylesheet, loading) {
			t.Errorf("%q in the stylesheet", loading)
		}
	}
}

var colour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)

// palette reads the colours of the n-th :root block.
func palette(t *testing.T, n int) map[string]float64 {
	t.Helper()
	block, _, _ := strings.Cut(strings.Split(styleSource, ":root {")[n], "}")
	luminances := map[string]float64{}
	for _, match := range colour.FindAllStringSubmatch(block, -1) {
		luminances[match[1]] = luminance(t, match[2])
	}
	return luminances
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	rgb, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(channel uint64) float64 {
		c := float64(channel&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(rgb>>16) + 0.7152*linear(rgb>>8) + 0.0722*linear(rgb)
}

// TestContrastIsEnoughInLightAndDark: 4.5 to 1 for text (WCAG 2.2 §1.4.3), 3 to
// 1 for the edges of fields and the focus ring (§1.4.11).
func TestContrastIsEnoughInLightAndDark(t *testing.T) {
	const text, edge = 4.5, 3.0
	pairs := []struct {
		fore, back string
		least      float64
	}{
		{"ink", "paper", text}, {"ink", "card", text}, {"ink", "wrong-card", text}, {"ink", "good-card", text},
		{"muted", "paper", text}, {"muted", "card", text},
		{"accent", "paper", text}, {"accent", "card", text},
		{"accent-strong", "paper", text}, {"accent-strong", "good-card", text},
		{"on-accent", "accent", text}, {"on-accent", "accent-strong", text},
		{"wrong", "paper", text}, {"wrong", "card", text}, {"wrong", "wrong-card", edge},
		{"edge", "paper", edge}, {"edge", "card", edge},
	}
	for n, scheme := range map[int]string{1: "light", 2: "dark"} {
		colours := palette(t, n)
		for _, p := range pairs {
			fore, back := colours[p.fore], colours[p.back]
			ratio := (max(fore, back) + 0.05) / (min(fore, back) + 0.05)
			if _, ok := colours[p.fore]; !ok || ratio < p.least {
				t.Errorf("%s: %s on %s is %.2f to 1, want %.1f", scheme, p.fore, p.back, ratio, p.least)
			}
		}
	}
}
