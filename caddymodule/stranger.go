package caddymodule

import (
	"net/http"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/caddymodule/press"
)

// pressed is the 402 of one price for strangers, in each form: those who show
// no wallet, and of whose last answer there is nothing to say. They are the
// crowd, so their answers are made once, see package press. It is made when the
// handler is provisioned, and lives as long.
type pressed struct {
	price string // as the header names it
	html  *page.Pressed
	json  press.Press
	text  press.Press
}

func (h *Handler) press() pressed {
	o := offered{path: press.Mark(), back: press.Mark(), address: press.Mark(), quote: press.Mark()}
	never := o.expires.Format(time.RFC3339Nano) // the year 1, in which no quote ends
	return pressed{
		price: h.app.currency.Price(h.rule.Lead().Price),
		html: page.NewPressed(page.Challenge{
			Frame: page.Frame{Currency: h.app.currency}, Window: h.rule.Window, Offers: pageOffers(h.rule),
			Cards: h.app.Kiosks != nil,
		}),
		json: press.Cut(string(marshaled(h.offerJSON(o))),
			press.Hole{Mark: o.path, Escape: press.JSON}, press.Hole{Mark: o.back, Escape: press.JSON},
			press.Hole{Mark: o.quote, Escape: press.Plain}, press.Hole{Mark: never, Escape: press.Plain}),
		text: press.Cut(h.offerText(o),
			press.Hole{Mark: o.path, Escape: press.Plain}, press.Hole{Mark: o.address, Escape: press.Plain}),
	}
}

// appendJSON appends what offerJSON says as JSON, on a line.
func (p pressed) appendJSON(dst []byte, o offered) []byte {
	return p.json.Append(dst, o.path, o.back, o.quote, o.expires.Format(time.RFC3339Nano))
}

// appendText appends what offerText says.
func (p pressed) appendText(dst []byte, o offered) []byte {
	return p.text.Append(dst, o.path, o.address)
}

// bodies are where the answers are put together. A writer does not keep what
// it is given (io.Writer), so that the next answer can use it again.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// maxBodyKept is the largest body, in bytes, whose memory is used again: a
// request with a long address shall not leave its size behind.
const maxBodyKept = 64 << 10

// challengeStranger answers 402 to somebody of whom nothing is known.
func (s *sale) challengeStranger(w http.ResponseWriter, f form) {
	kept := bodies.Get().(*[]byte)
	body, media := s.appendStranger((*kept)[:0], f)
	writeBody(w, http.StatusPaymentRequired, media, body)
	if cap(body) <= maxBodyKept {
		*kept = body
	}
	bodies.Put(kept)
}

func (s *sale) appendStranger(dst []byte, f form) (body []byte, media string) {
	switch f {
	case asHTML: // it has nothing to pay with, and so no quote
		path := s.back
		if s.r.Method != http.MethodGet && s.r.Method != http.MethodHead {
			path = page.WalletPath // as App.frame has it: a link is a GET
		}
		body, err := s.pressed.html.Append(dst, page.Stranger{
			Lang: page.Language(s.r), Title: s.title(), Teaser: s.fill(s.Teaser), Path: path, Return: s.back,
		})
		if err != nil {
			panic("paywall: " + err.Error()) // package page's tests execute every template
		}
		return body, pageMedia
	case asJSON:
		o := s.offered()
		o.quote, o.expires = s.sealed()
		return s.pressed.appendJSON(dst, o), problemMedia
	default:
		o := s.offered()
		o.address = s.address(s.back)
		return s.pressed.appendText(dst, o), textMedia
	}
}
