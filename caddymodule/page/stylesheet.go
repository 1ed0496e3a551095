package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
)

//go:embed style.css
var stylesheet string

// ContentSecurityPolicy is the header value that every page of this package
// goes out with: nothing is loaded or run but the inlined stylesheet, known by
// its hash, and forms post to this site only. Together with frame-ancestors it
// keeps the pay button out of other sites' frames, where a click could be
// stolen.
var ContentSecurityPolicy = policy(stylesheet)

func policy(css string) string {
	sum := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}
