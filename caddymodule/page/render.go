package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

//go:embed templates/*.html
var templateFiles embed.FS

// pageNames are the pages; each has a template file of its name, and all share
// layout.html and forms.html.
var pageNames = []string{"challenge", "wallet", "problem", "cards", "signedout", "tap", "till"}

// bareNames are the pages without the layout.
var bareNames = []string{"session"}

// templates holds one parsed template for each language and page, made on the
// first page that is asked for, so that a start without one costs nothing.
var templates = sync.OnceValue(func() map[string]*template.Template {
	parsed := make(map[string]*template.Template, len(locales)*len(pageNames))
	for _, l := range locales {
		for _, name := range pageNames {
			t := template.New("layout.html").Funcs(functions(l))
			parsed[l.tag+"/"+name] = template.Must(t.ParseFS(templateFiles,
				"templates/layout.html", "templates/forms.html", "templates/"+name+".html"))
		}
		for _, name := range bareNames {
			t := template.New(name + ".html").Funcs(functions(l))
			parsed[l.tag+"/"+name] = template.Must(t.ParseFS(templateFiles, "templates/"+name+".html"))
		}
	}
	return parsed
})

// render executes a page into memory first: an error in the middle must not
// leave half a page behind a status that promises a whole one.
func render(w io.Writer, lang, name string, view any) error {
	var page bytes.Buffer
	page.Grow(pageSize)
	if err := templates()[localeOf(lang).tag+"/"+name].Execute(&page, view); err != nil {
		return fmt.Errorf("rendering the %s page: %w", name, err)
	}
	_, err := w.Write(defuse(page.Bytes()))
	return err
}

// pageSize is a little more than most pages need, in bytes.
const pageSize = 16 << 10

// defuse spells "{{" so that only a browser reads it as such: where a site runs
// Caddy's templates directive over its answers, a title such as
// {{env "SECRET"}} would otherwise be executed. It also keeps the promise of
// UTF-8 where a value held other bytes.
func defuse(page []byte) []byte {
	if bytes.Contains(page, []byte("{{")) {
		page = bytes.ReplaceAll(page, []byte("{{"), []byte("&#123;&#123;"))
	}
	if !utf8.Valid(page) {
		page = bytes.ToValidUTF8(page, []byte(string(utf8.RuneError)))
	}
	return page
}

// functions are what the templates of one language can call.
func functions(l locale) template.FuncMap {
	return template.FuncMap{
		"lang":     func() string { return l.tag },
		"style":    func() template.CSS { return template.CSS(stylesheet) }, //nolint:gosec // our own embedded file
		"t":        l.text,
		"count":    l.things,
		"title":    func(key string) string { return Title(l.tag, key) },
		"text":     func(key string) string { return Text(l.tag, key) },
		"offer":    l.offer,
		"duration": l.duration,
		"date":     l.date,
		"moment":   l.moment,
		"machine":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"money":    func(c wallet.Currency, a wallet.Amount) string { return Money(l.tag, c, a) },
		"signed":   func(c wallet.Currency, a wallet.Amount) string { return signed(l.tag, c, a) },
		"changed":  l.visitsChanged,
		"clock":    func(t time.Time) string { return t.UTC().Format("15:04") + space + "UTC" },

		"tillscript":    func() template.JS { return template.JS(tillScript) },     //nolint:gosec // likewise
		"sessionstyle":  func() template.CSS { return template.CSS(sessionStyle) }, //nolint:gosec // likewise
		"sessionscript": func() template.JS { return template.JS(sessionScript) },  //nolint:gosec // likewise
	}
}

// withQuery returns path with one query parameter.
func withQuery(path, name, value string) string {
	return path + "?" + url.Values{name: {value}}.Encode()
}
