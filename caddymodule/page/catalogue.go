package page

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

//go:embed lang/*.json
var catalogueFiles embed.FS

// catalogue is the words of one language. A text holds {placeholders}.
type catalogue struct {
	Messages map[string]message `json:"messages"`
	Texts    map[string]string  `json:"texts"`
}

// message is what a notice or an error page says.
type message struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// catalogues are read once, on the first page; a broken one is a broken build,
// which the tests find.
var catalogues = sync.OnceValue(func() map[string]catalogue {
	byTag := make(map[string]catalogue, len(locales))
	for _, l := range locales {
		var c catalogue
		text, err := catalogueFiles.ReadFile("lang/" + l.tag + ".json")
		if err == nil {
			err = json.Unmarshal(text, &c)
		}
		if err != nil {
			panic(fmt.Sprintf("embedded catalogue of %s: %v", l.tag, err))
		}
		byTag[l.tag] = c
	}
	return byTag
})

// Known reports whether key is one of this package's message keys. Ask it
// before a key that came in with a request is put into a [Notice].
func Known(key string) bool {
	_, ok := catalogues()[locales[0].tag].Messages[key]
	return ok
}

// Title is the short form of a message in a language ("en", "fr", "it"; any
// other reads as "en"), without a full stop: the title of problem JSON. An
// unknown key reads as BadRequest.
func Title(lang, key string) string { return messageOf(lang, key).Title }

// Text is a message in whole sentences: the detail of problem JSON, the second
// line of plain text. Language and key are as for [Title].
func Text(lang, key string) string { return messageOf(lang, key).Text }

func messageOf(lang, key string) message {
	messages := catalogues()[localeOf(lang).tag].Messages
	if m, ok := messages[key]; ok {
		return m
	}
	return messages[BadRequest]
}

// text returns a text of the catalogue with its placeholders filled from pairs
// of name and value. An unknown key, an unknown name and a placeholder that
// stays empty are errors: half a sentence about money is worse than none.
func (l locale) text(key string, pairs ...string) (string, error) {
	pattern, ok := catalogues()[l.tag].Texts[key]
	if !ok {
		return "", fmt.Errorf("catalogue of %s has no text %q", l.tag, key)
	}
	if len(pairs)%2 != 0 || len(pairs)/2 != strings.Count(pattern, "{") {
		return "", fmt.Errorf("catalogue text %q takes %d values", key, strings.Count(pattern, "{"))
	}
	oldnew := make([]string, 0, len(pairs))
	for i := 0; i < len(pairs); i += 2 {
		placeholder := "{" + pairs[i] + "}"
		if !strings.Contains(pattern, placeholder) {
			return "", fmt.Errorf("catalogue text %q has no placeholder %s", key, placeholder)
		}
		oldnew = append(oldnew, placeholder, pairs[i+1]) //nolint:gosec // templates pass names and values in pairs; the tests execute every one
	}
	return strings.NewReplacer(oldnew...).Replace(pattern), nil
}
