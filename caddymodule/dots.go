package caddymodule

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// leadStraight answers a request whose path has a segment . or .., however it is
// encoded, and reports whether it has. Prices are matched on the path without
// them, and what comes after may read it otherwise: an upstream that looks at
// its beginning takes /articles/1/%2e%2e/%2e%2e/free for an article, and
// /articles/. is without its dot /articles to one and /articles/ to the other.
// So the client is sent to the path that it means (RFC 3986 §5.2.4), which
// browsers ask for by themselves.
func (a *App) leadStraight(w http.ResponseWriter, r *http.Request, asked *url.URL) bool {
	if !hasDots(asked.Path) {
		if !hasDots(r.URL.Path) {
			return false
		}
		// a rewrite has put into the path what the client sent elsewhere
		badRequest("this address leads to a path with dots").write(w, r, formOf(r.Header), a.frame(r))
		return true
	}
	straight := url.URL{Path: withoutDots(asked.Path), RawQuery: asked.RawQuery}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", straight.RequestURI())
	w.WriteHeader(http.StatusPermanentRedirect)
	return true
}

// askedURL is what the client asked for, before any rewrite.
func askedURL(r *http.Request) *url.URL {
	if before, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		return before.URL
	}
	return r.URL
}

// hasDots reports whether a segment of the path is . or ..
func hasDots(path string) bool {
	for rest := path; ; {
		i := strings.Index(rest, "/.")
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
		if segment, _, _ := strings.Cut(rest, "/"); segment == "." || segment == ".." {
			return true
		}
	}
}

// withoutDots resolves . and .. and doubled slashes, so that the path can lead
// to no other host. What is left of a final dot is a directory.
func withoutDots(p string) string {
	clean := path.Clean("/" + p)
	if clean != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")) {
		clean += "/"
	}
	return clean
}
