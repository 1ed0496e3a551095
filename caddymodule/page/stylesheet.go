package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"strings"
)

//go:embed style.css
var styleSource string

// stylesheet is what pages hold: every 402 carries it, so it is without the
// white space that only its authors read.
var stylesheet = compact(styleSource)

// compact joins the lines of a stylesheet that is indented with tabs and holds
// no comments, and drops the blanks around punctuation that mean nothing there.
// A space before a colon or a parenthesis does mean something, and stays.
func compact(css string) string {
	var b strings.Builder
	for line := range strings.Lines(css) {
		b.WriteString(strings.TrimSpace(line))
		if !strings.ContainsAny(line, "{};,") { // a value or a selector that goes on
			b.WriteByte('\n')
		}
	}
	return strings.NewReplacer(" {", "{", ": ", ":", ", ", ",", ";}", "}").Replace(b.String())
}

// ContentSecurityPolicy is the header value that every page of this package
// goes out with: nothing is loaded or run but the inlined stylesheet, known by
// its hash, and forms post to this site only. Together with frame-ancestors it
// keeps the pay button out of other sites' frames, where a click could be
// stolen.
var ContentSecurityPolicy = policy(stylesheet)

func policy(css string) string {
	return "default-src 'none'; style-src " + source(css) + "; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// source is how a policy names the text of a style or a script.
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
