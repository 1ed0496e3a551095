package simulate

import (
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/fill"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/words"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle []byte

var page = fill.Must(pageText)

// view is what the page is made of.
type view struct {
	Kiosk, Site string
	Balance     string
	Products    []wire.Product
	Currency    string
	Last        *tap.Result
	Words       words.Words
	Good        bool
	AskPIN      bool // the card wanted one
	Open        bool
	Opened      string // product
	Refresh     int    // seconds; zero: never
	Error       string
	Form        string // proves that a form is of this page
}

// routes are the page and what can be done on it. Every form carries a token of this
// process, so that no other page in the same browser can tap the card.
func (s *simulation) routes() http.Handler {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	form := base64.RawURLEncoding.EncodeToString(raw)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(pageStyle)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.show(w, r, form, "") })
	post := func(path string, do func(r *http.Request) error) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, wire.MaxBody)
			if subtle.ConstantTimeCompare([]byte(r.PostFormValue("form")), []byte(form)) == 0 {
				http.Error(w, "This form is of another page; go back and reload.", http.StatusForbidden)
				return
			}
			if err := do(r); err != nil {
				w.WriteHeader(http.StatusUnprocessableEntity)
				s.show(w, r, form, err.Error())
				return
			}
			http.Redirect(w, r, "/", http.StatusSeeOther)
		})
	}
	post("/tap", func(r *http.Request) error {
		s.tapCard(r.Context(), r.PostFormValue("product"), wire.PIN(r.PostFormValue("pin")))
		return nil
	})
	post("/redeem", func(r *http.Request) error { return s.holder.redeem(r.Context(), r.PostFormValue("code")) })
	post("/claim", func(r *http.Request) error {
		s.mu.Lock()
		claim := ""
		if s.last != nil {
			claim = s.last.Claim
		}
		s.mu.Unlock()
		if err := s.holder.claim(r.Context(), claim); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last = nil
		return nil
	})
	return mux
}

func (s *simulation) show(w http.ResponseWriter, r *http.Request, form, wrong string) {
	balance, err := s.holder.balance(r.Context())
	if err != nil {
		balance = "?"
		if wrong == "" {
			wrong = err.Error()
		}
	}
	s.mu.Lock()
	v := view{
		Kiosk: s.kiosk.Kiosk, Site: s.kiosk.Site, Balance: balance, Products: s.policy.Products, Currency: s.policy.Currency,
		Last: s.last, Error: wrong, Form: form, Opened: s.product,
	}
	left := gateOpen - time.Since(s.opened)
	s.mu.Unlock()
	if v.Open = left > 0; v.Open {
		v.Refresh = int(left/time.Second) + 1
	}
	if v.Last != nil {
		v.Words, v.Good = words.Of(words.Languages[0], v.Last.Kind, v.Last.Reason), words.Good(v.Last.Kind, v.Last.Reason)
		v.AskPIN = v.Last.Reason == wire.PINNeeded || v.Last.Kind == tap.Cancelled
	}
	body, err := page.Fill(v)
	if err != nil {
		panic(err) // the tests fill it in
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	_, _ = w.Write(body)
}
