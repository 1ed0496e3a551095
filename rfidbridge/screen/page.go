package screen

import (
	"embed"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/fill"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/words"
)

//go:embed page.css page.js
var files embed.FS

//go:embed page.html
var pageText string

var page = fill.Must(pageText)

// view is what the page is made of.
type view struct {
	Lang        string
	Languages   []language
	Words       map[string]string // what the page itself says
	Title, Text string
	Mark        string // ✓ or ✕, beside the colour; empty: neither
	Mood        string // good, bad or calm: for colours, and sounds
	Product     wire.Product
	Currency    string
	Balance     string // empty: it is not shown
	Claim       string
	Code        string // a picture, as an address of data
	Ask         ask    // without a token: for nothing
	Form        form   // with nothing to send: there is none
	Version     int
	Left        int64 // milliseconds until it is over; zero: it stays
}

type language struct {
	Code    string
	Current bool
}

// ask is the form in which a PIN is entered.
type ask struct {
	Token string
	Again int // seconds until a page without JavaScript asks again: what is being entered is lost then
}

// form is what this browser posts to the site.
type form struct {
	Action, Code, Return string
}

func (s *Screen) view(lang string) view {
	now := s.shown()
	text := func(key string) string { return words.Text(lang, key) }
	v := view{
		Lang: lang, Mood: "calm", Product: now.product, Currency: now.currency, Claim: now.claim,
		Code: now.code, Version: now.version, Left: now.left.Milliseconds(),
		Words: map[string]string{"title": text("title"), "left": text("left"), "language": text("language"), "open": text("open"),
			"digits": text("digits"), "enter": text("enter"), "cancel": text("cancel"), "delete": text("delete")},
	}
	for _, code := range words.Languages {
		v.Languages = append(v.Languages, language{code, code == lang})
	}
	switch now.phase {
	case checking:
		v.Title, v.Text = text("checking"), text("hold")
	case asking:
		v.Title, v.Text = text("pin"), text("pin_why")
		if now.question.wrong {
			v.Title, v.Text, v.Mood, v.Mark = text("pin_wrong"), text("pin_again"), "bad", "✕"
		}
		v.Ask = ask{now.question.token, int(now.left/time.Second) + 1}
	case offering:
		v.Title, v.Text, v.Mood, v.Mark = text("opening"), text("hold"), "good", "✓"
		v.Form = form{Action: s.site + wire.BrowserPath + "?lang=" + lang, Code: now.offer}
	case unread:
		v.Title, v.Text, v.Mood, v.Mark = text("unread"), text("again"), "bad", "✕"
	case ended:
		w := words.Of(lang, now.result.Kind, now.result.Reason)
		v.Title, v.Text, v.Mood, v.Mark = w.Title, w.Text, "bad", "✕"
		switch {
		case words.Good(now.result.Kind, now.result.Reason):
			v.Mood, v.Mark, v.Balance = "good", "✓", now.result.Balance
			if now.result.Alone {
				v.Text = text("alone")
			}
		case now.result.Kind == tap.Unclaimed:
			v.Mood, v.Mark, v.Text = "calm", "", text("scan")
		}
		if now.result.Product.Name != "" {
			v.Product = now.result.Product
		}
	default:
		v.Title = text("idle")
	}
	return v
}

// Handler serves the page, and tells it of changes at /events.
func (s *Screen) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /events", s.serveEvents)
	mux.HandleFunc("POST /pin", s.servePIN)
	for name, media := range map[string]string{"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
			text, err := files.ReadFile(name)
			if err != nil {
				panic(err) // it is embedded
			}
			w.Header().Set("Content-Type", media)
			_, _ = w.Write(text)
		})
	}
	return local(mux)
}

// local refuses what is not asked for by an address of this machine: another site's name
// that leads here would let its page read a code.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := (&url.URL{Host: r.Host}).Hostname()
		if asked != "localhost" && !net.ParseIP(asked).IsLoopback() {
			http.Error(w, "this page is this machine's alone", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Screen) servePage(w http.ResponseWriter, r *http.Request) {
	lang := r.URL.Query().Get("lang")
	if !slices.Contains(words.Languages, lang) {
		lang = words.Language(r.Header.Get("Accept-Language"))
	}
	v := s.view(lang)
	v.Form.Return = "http://" + r.Host + "/"
	body, err := page.Fill(v)
	if err != nil {
		panic(err) // the tests fill it in
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'self' "+s.site+"; frame-ancestors 'none'")
	_, _ = w.Write(body) //nolint:gosec // what is filled in is escaped
}

// keepAlive is how often a page that is told nothing is told so.
const keepAlive = 20 * time.Second

// serveEvents tells of each change, by its number (server-sent events).
func (s *Screen) serveEvents(w http.ResponseWriter, r *http.Request) {
	changes, stop := s.watch()
	if changes == nil {
		http.Error(w, "too many pages watch", http.StatusServiceUnavailable)
		return
	}
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	told := http.NewResponseController(w)
	say := func(format string, args ...any) bool {
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && told.Flush() == nil
	}
	if !say("data: %d\n\n", s.shown().version) {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case version := <-changes:
			if !say("data: %d\n\n", version) {
				return
			}
		case <-time.After(keepAlive):
			if !say(":\n\n") {
				return
			}
		}
	}
}
