package page

import (
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

// maxLanguage is how many bytes of ?lang= or Accept-Language are looked at.
// Browsers send less than a hundred; a longer value is not a preference but a
// way to keep the parser busy, and is ignored.
const maxLanguage = 512

// matcher knows the languages in the order of locales; the first one answers
// where nothing matches.
var matcher = language.NewMatcher(matchable())

func matchable() []language.Tag {
	tags := make([]language.Tag, len(locales))
	for i, l := range locales {
		tags[i] = language.Make(l.tag)
	}
	return tags
}

// Language is the language to answer a request in: "en", "fr" or "it". It is
// the query's ?lang= if that names a language we have or one close to it, else
// the best match of Accept-Language (RFC 9110 §12.5.4), else "en".
func Language(r *http.Request) string {
	if r.URL != nil && strings.Contains(r.URL.RawQuery, "lang=") {
		if tag, ok := match(r.URL.Query().Get("lang")); ok {
			return tag
		}
	}
	return accepted.of(strings.Join(r.Header["Accept-Language"], ","), func(value string) string {
		tag, _ := match(value)
		return tag
	})
}

// accepted is global because what it remembers is the same for every page.
var accepted choices

// match finds the language for a list of preferences in the form of
// Accept-Language. ok is false where English is only the last resort.
func match(preferences string) (tag string, ok bool) {
	if preferences == "" || len(preferences) > maxLanguage {
		return locales[0].tag, false
	}
	wanted, _, err := language.ParseAcceptLanguage(preferences)
	if err != nil || len(wanted) == 0 {
		return locales[0].tag, false
	}
	_, index, confidence := matcher.Match(wanted...)
	return locales[index].tag, confidence != language.No
}
