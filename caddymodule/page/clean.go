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
	if isClean(s, most) {
		return s
	}
	return cleaned(s, most)
}

func cleaned(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unfit(r):
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

// unfit reports whether cleaned removes a character that is not a blank.
func unfit(r rune) bool {
	return unicode.IsControl(r) || r == utf8.RuneError ||
		'\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

// isClean reports whether cleaned has nothing to do, as with almost every text.
func isClean(s string, most int) bool {
	length, blank := 0, true // blank: after one, or at the beginning, no other may come
	for _, r := range s {
		length++
		switch {
		case ' ' < r && r < unicode.MaxASCII:
			blank = false
		case r == ' ' && !blank:
			blank = true
		case unicode.IsSpace(r) || unfit(r):
			return false
		default:
			blank = false
		}
	}
	return length <= most && (s == "" || !blank)
}

// localPath returns a path of this site, with its query, or "/" for anything
// else: another scheme or host, and the two spellings of it that browsers take
// for a host ("//host", "/\host").
func localPath(path string) string {
	if isPlainPath(path) {
		return path
	}
	return parsedPath(path)
}

func parsedPath(path string) string {
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

// isPlainPath reports whether a path is one that needs no parsing to know that
// it is of this site: of letters, digits and the characters "-", ".", "_" and
// "~" between single slashes, and perhaps a query of printable ASCII.
func isPlainPath(path string) bool {
	if path == "" || len(path) > maxPath || path[0] != '/' {
		return false
	}
	for i := 1; i < len(path); i++ {
		switch c := path[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		case c == '/' && path[i-1] != '/':
		default:
			return c == '?' && isPlainQuery(path[i+1:])
		}
	}
	return true
}

func isPlainQuery(query string) bool {
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c > '~' || c == '#' || c == '\\' {
			return false
		}
	}
	return true
}

// withLanguage returns a path of this site with ?lang= set.
func withLanguage(path, tag string) string {
	before, after := aroundLanguage(path)
	return before + tag + after
}

// aroundLanguage is what stands around the tag in a path of this site with
// ?lang= set. The path itself stays as it is spelt: url.URL would decode a
// "/%2fhost " and write it back as "//host", another site.
func aroundLanguage(path string) (before, after string) {
	path, _, _ = strings.Cut(localPath(path), "#")
	path, rawQuery, _ := strings.Cut(path, "?")
	if rawQuery == "" {
		return path + "?lang=", ""
	}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return path + "?lang=", ""
	}
	lower, higher := url.Values{}, url.Values{} // than "lang": Encode sorts by name
	for name, values := range query {
		switch strings.Compare(name, "lang") {
		case -1:
			lower[name] = values
		case +1:
			higher[name] = values
		}
	}
	before, after = path+"?lang=", ""
	if len(lower) > 0 {
		before = path + "?" + lower.Encode() + "&lang="
	}
	if len(higher) > 0 {
		after = "&" + higher.Encode()
	}
	return before, after
}
