package screen

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/words"
)

// askFor is how long whoever has tapped is asked for a PIN. The paywall takes one for longer.
const askFor = 45 * time.Second

const (
	leastPIN = 4 // digits
	mostPIN  = 8

	mostForm = 1 << 10 // bytes of a form
)

// question is one that has not been answered. It is answered once.
type question struct {
	token   string // that the form has: no other page knows it
	wrong   bool   // the PIN before was
	entered chan wire.PIN
}

// PIN asks whoever has tapped for the card's PIN, for 45 seconds; wrong says that the one
// before was. [tap.ErrCancelled] where there is none. One at a time is asked for.
func (s *Screen) PIN(ctx context.Context, wrong bool) (wire.PIN, error) {
	q := &question{rand.Text(), wrong, make(chan wire.PIN, 1)}
	s.mu.Lock()
	s.asked = q
	s.mu.Unlock()
	s.show(asking, tap.Result{}, s.patience)
	var digits wire.PIN
	select {
	case digits = <-q.entered:
	case <-ctx.Done():
	case <-time.After(s.patience):
	}
	s.answer(q.token, "")
	if digits == "" {
		return "", tap.ErrCancelled
	}
	return digits, nil
}

// Cancel ends the asking for a PIN, where one is asked for.
func (s *Screen) Cancel() {
	s.mu.Lock()
	q := s.asked
	s.mu.Unlock()
	if q != nil {
		s.answer(q.token, "")
	}
}

// answer answers the question of a token; with nothing where there are no digits.
func (s *Screen) answer(token string, digits wire.PIN) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked != nil && subtle.ConstantTimeCompare([]byte(token), []byte(s.asked.token)) == 1 {
		s.asked.entered <- digits
		s.asked, s.phase, s.until = nil, checking, s.now().Add(time.Minute)
		s.changed()
	}
}

// servePIN takes what was entered, from the form of this page alone.
func (s *Screen) servePIN(w http.ResponseWriter, r *http.Request) {
	if new(http.CrossOriginProtection).Check(r) != nil {
		http.Error(w, "this form is this page's alone", http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	if r.ParseForm() != nil {
		http.Error(w, "this is no form of this page", http.StatusBadRequest)
		return
	}
	token, digits := r.PostForm.Get("token"), r.PostForm.Get("pin")
	switch {
	case r.PostForm.Get("do") == "cancel":
		s.answer(token, "")
	case isPIN(digits):
		s.answer(token, wire.PIN(digits))
	}
	back := "/"
	if i := slices.Index(words.Languages, r.URL.Query().Get("lang")); i >= 0 {
		back += "?lang=" + words.Languages[i]
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func isPIN(digits string) bool {
	return len(digits) >= leastPIN && len(digits) <= mostPIN && strings.Trim(digits, "0123456789") == ""
}
