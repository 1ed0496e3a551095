// Package screen shows a kiosk's state to who stands before it: hold the card, checking,
// paid, or why not and what to do.
//
// It promises a page that works without JavaScript, which asks again each second then, and
// is told at once (server-sent events) and with sounds where there is some; in English,
// French and Italian; that is read from a metre and without colours; and that shows no
// more of a card than what became of it: of its wallet nothing, but where the paywall's
// operator wants it what is left in there. A PIN is asked for by a form that no other page
// can send, and not shown. What a tap opens on the site this browser fetches with a form, so
// that its code is in no address. It is served on the loopback interface, to the kiosk's own
// browser.
package screen

import (
	"encoding/base64"
	"sync"
	"time"

	"rsc.io/qr"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// phase is what the screen is about.
type phase int

const (
	idle phase = iota
	checking
	asking
	offering
	unread
	ended
)

// How long what became of a tap is shown: longer where somebody has to do something.
const (
	showGood  = 4 * time.Second
	showBad   = 8 * time.Second
	showClaim = 2 * time.Minute
)

// Screen is what is shown. It is safe for concurrent use.
type Screen struct {
	site     string // the paywall's address, for claims
	now      func() time.Time
	patience time.Duration // with who is asked for a PIN

	mu       sync.Mutex
	phase    phase
	product  wire.Product
	currency string
	result   tap.Result
	asked    *question
	offer    string // the code with which this browser opens pages
	code     string // the claim's QR code, a data: address
	claim    string // its address
	until    time.Time
	version  int
	watchers map[chan int]bool
}

// New is an idle screen of a kiosk of a site.
func New(site string, now func() time.Time) *Screen {
	return &Screen{site: site, now: now, patience: askFor, watchers: make(map[chan int]bool)}
}

// Sells says what a tap pays for, and in which currency all is that is shown.
func (s *Screen) Sells(p wire.Product, currency string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.product != p || s.currency != currency {
		s.product, s.currency = p, currency
		s.changed()
	}
}

// Checking says that a card has been seen.
func (s *Screen) Checking() { s.show(checking, tap.Result{}, time.Minute) }

// Offer has the browser post a code to the site, which opens pages there in the place of
// this one; an empty code takes that back.
func (s *Screen) Offer(code string) {
	s.mu.Lock()
	s.offer = code
	s.mu.Unlock()
	if code == "" {
		s.Checking()
		return
	}
	s.show(offering, tap.Result{}, time.Minute)
}

// Unread says that a card could not be read.
func (s *Screen) Unread() { s.show(unread, tap.Result{}, showGood) }

// Ended says what became of a tap.
func (s *Screen) Ended(r tap.Result) {
	lasts := showBad
	switch {
	case r.Kind == tap.Paid:
		lasts = showGood
	case r.Claim != "":
		lasts = showClaim
	}
	s.show(ended, r, lasts)
}

func (s *Screen) show(p phase, r tap.Result, lasts time.Duration) {
	address, picture := "", ""
	if r.Claim != "" {
		address = s.site + "/.paywall/cards?claim=" + r.Claim
		if code, err := qr.Encode(address, qr.M); err == nil { // else it is too long, and the address is shown
			picture = "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase, s.result, s.claim, s.code, s.until = p, r, address, picture, s.now().Add(lasts)
	s.changed()
}

// changed tells who watches, with s.mu held.
func (s *Screen) changed() {
	s.version++
	for watcher := range s.watchers {
		select {
		case <-watcher: // what it has not heard of yet is old
		default:
		}
		watcher <- s.version
	}
}

// mostWatchers is how many pages are told at once; a kiosk has one.
const mostWatchers = 16

// watch tells of changes until stop is called; nil where there are too many that watch.
func (s *Screen) watch() (changes <-chan int, stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.watchers) >= mostWatchers {
		return nil, nil
	}
	watcher := make(chan int, 1)
	s.watchers[watcher] = true
	return watcher, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, watcher)
	}
}

// shown is what there is to show now: what is over is not.
type shown struct {
	phase       phase
	product     wire.Product
	currency    string
	result      tap.Result
	question    question // without a token: there is none
	offer       string
	claim, code string
	left        time.Duration
	version     int
}

func (s *Screen) shown() shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.until.Sub(s.now())
	if left <= 0 {
		return shown{product: s.product, currency: s.currency, version: s.version}
	}
	now := shown{s.phase, s.product, s.currency, s.result, question{}, s.offer, s.claim, s.code, left, s.version}
	if s.asked != nil {
		now.question = *s.asked
	}
	return now
}
