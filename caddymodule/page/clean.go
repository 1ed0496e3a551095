package page

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of text that is shown, in characters. Longer text ends in "…".
const (
	maxName   = 80
	maxTitle  = 200
	maxTeaser = 1000
	maxNote   = 256
	maxShown  = 96 // of a path in the wallet's entries

	maxPath = 4096 // bytes of a path that is linked to
)

// clean makes text from outside fit to be shown: valid UTF-8 in one line,
// without control characters and without the marks that reorder the text
// around them (U+202A-202E, U+2066-2069), by which a title or a transfer's note
// could make the page show another amount or address than there is. Right to
// left text itself stays; the templates isolate it.
func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == utf8.RuneError,
			'\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}

// localPath returns a path of this site, with its query, or "/" for anything
// else: another scheme or host, and the two spellings of it that browsers take
// for a host ("//host", "/\host").
func localPath(path string) string {
	if len(path) > maxPath || !strings.HasPrefix(path, "/") ||
		strings.HasPrefix(path, "//") || strings.ContainsRune(path, '\\') ||
		strings.ContainsFunc(path, unicode.IsControl) {
		return "/"
	}
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" {
		return "/"
	}
	return path
}

// withLanguage returns a path of this site with ?lang= set. The path itself
// stays as it is spelt: url.URL would decode a "/%2fhost " and write it back as
// "//host", another site.
func withLanguage(path, tag string) string {
	path, _, _ = strings.Cut(localPath(path), "#")
	path, rawQuery, _ := strings.Cut(path, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		query = url.Values{}
	}
	query.Set("lang", tag)
	return path + "?" + query.Encode()
}
