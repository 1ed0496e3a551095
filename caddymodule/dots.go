package caddymodule

import (
	"net/http"
	"path"
	"strings"
)

// resolveDots takes the segments . and .. out of the path of a request that
// goes on. Prices are matched on the path without them, however they were
// encoded, and an upstream that reads /articles/1/%2e%2e/%2e%2e/free as an
// article would give away what the price has taken for a free page. Browsers
// resolve such paths themselves (URL Standard §4.4).
func resolveDots(r *http.Request) {
	if !hasDots(r.URL.Path) {
		return
	}
	clean := path.Clean("/" + r.URL.Path)
	if clean != "/" && strings.HasSuffix(r.URL.Path, "/") {
		clean += "/" // as the path matcher keeps it
	}
	r.URL.Path, r.URL.RawPath = clean, ""
	r.RequestURI = r.URL.RequestURI()
}

// hasDots reports whether a segment of the path is . or ..
func hasDots(path string) bool {
	for rest := path; ; {
		i := strings.Index(rest, "/.")
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
		segment, _, _ := strings.Cut(rest, "/")
		if segment == "." || segment == ".." {
			return true
		}
	}
}
