package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/screen"
	rfidtap "github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// readingRoom is a site that a kiosk's browser reads, one page of which may stand in no
// frame.
func readingRoom(port, admin string) string {
	return fmt.Sprintf(`{
	admin %[2]s
	persist_config off
	paywall {
		kiosks {
			product gate 0.10 "The reading room"
			product coffee 1.20 "A coffee"
			opens gate /articles/* 1h /articles/
		}
	}
}
http://localhost:%[1]s {
	bind 127.0.0.1
	header Content-Type text/html
	paywall /articles/* 0.10 {
		title "The Lamp"
	}
	header /articles/alone X-Frame-Options DENY
	respond "<!doctype html><html lang=en><title>A page</title><main><h1>Page {path}</h1><p><a href=/articles/2>Next</a> <a href=/articles/alone>Alone</a></main>"
}
`, port, admin)
}

// lobby is a kiosk of a site, with its screen and a card that pays at it.
type lobby struct {
	*server
	*client.Client
	*screen.Screen
	address string // of the screen
	card    wire.Card
}

func (s *server) lobby() *lobby {
	s.Helper()
	var made struct{ Code string }
	s.operator(&made, "kiosk", "enrol", "lobby")
	id, err := client.Enrol(s.Context(), s.url, made.Code, filepath.Join(s.TempDir(), "identity.json"), nil)
	if err != nil {
		s.Fatal(err)
	}
	kiosk, err := client.New(id, nil)
	if err != nil {
		s.Fatal(err)
	}
	number, err := uid.New([]byte{4, 1, 2, 3, 4, 5, 6})
	if err != nil {
		s.Fatal(err)
	}
	l := &lobby{server: s, Client: kiosk, Screen: screen.New(id.Site, time.Now), card: wire.Card{UID: number}}
	serves := httptest.NewServer(l.Screen.Handler())
	s.Cleanup(serves.Close)
	l.address = serves.URL + "/"
	l.claim(l.tap().Claim)
	return l
}

func (l *lobby) tap() wire.Verdict {
	l.Helper()
	id, err := wallet.NewOpID(time.Now(), bytes.NewReader(bytes.Repeat([]byte{byte(time.Now().UnixNano()), 7}, 16)))
	if err != nil {
		l.Fatal(err)
	}
	v, err := l.Tap(l.Context(), wire.Tap{ID: id, Product: "gate", Price: "0.10", Card: l.card, Again: true})
	if err != nil {
		l.Fatal(err)
	}
	return v
}

// claim makes the card that of a new wallet with some money.
func (l *lobby) claim(claim string) {
	l.Helper()
	var holder struct{ Token string }
	l.send("", "/.paywall/wallets", nil, &holder)
	l.send(holder.Token, "/.paywall/vouchers/redeem", map[string]string{"code": l.vouchers("5.00", 1)[0]}, nil)
	l.send(holder.Token, "/.paywall/cards/add", map[string]string{"claim": claim}, nil)
}

func (s *server) send(token, path string, body, into any) {
	s.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.Fatal(err)
	}
	if body == nil {
		text = nil
	}
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.url+path, bytes.NewReader(text))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		s.Fatalf("%s answers %d", path, answer.StatusCode)
	}
	if into != nil {
		if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
			s.Fatal(err)
		}
	}
}

// goes to any address.
func (b *tab) goes(address string) {
	b.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.NavigateResponse(address))
	b.must(err)
}

func (b *tab) path() string { return b.glimpse(`location.pathname`) }

// inFrame is what the page's frame shows.
func (b *tab) inFrame() string {
	return b.glimpse(`document.querySelector("iframe")?.contentDocument?.body?.innerText ?? ""`)
}

// glimpse evaluates on a page that may be on its way to another one: then there is nothing.
func (b *tab) glimpse(expression string) string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		return ""
	}
	return text
}

// wantsConsole is wantsQuietConsole but for what is so on purpose: the sandbox of the site's
// own pages keeps their links in the frame, and the screen makes no sound before somebody has
// touched it.
func (b *tab) wantsConsole() {
	b.Helper()
	b.mu.Lock()
	b.complaints = slices.DeleteFunc(b.complaints, func(complaint string) bool {
		return strings.Contains(complaint, "can escape its sandboxing") || strings.Contains(complaint, "AudioContext")
	})
	b.mu.Unlock()
	b.wantsQuietConsole()
}

// Somebody taps at a kiosk whose browser shows its screen; it opens what was paid for, with
// scripts by itself, and nothing of it is left when the card has gone.
func TestATapOpensPagesInTheKiosksBrowser(t *testing.T) {
	site := newServer(t, readingRoom)
	site.start()
	kiosk, browser := site.lobby(), startBrowser(t)
	b := newDevice(site, browser, true)
	b.goes(kiosk.address)
	b.says("Tap your card")
	tap := kiosk.tap()
	kiosk.Offer(wire.BrowserCode("lobby", tap.Grant))
	b.eventually("the browser is at the site", func() bool { return b.path() == "/.paywall/session" })
	kiosk.Ended(rfidtap.Result{Kind: rfidtap.Paid})
	b.eventually("the frame shows what was paid for", func() bool { return strings.Contains(b.inFrame(), "Page /articles/") })
	b.says("Paid by card", "Ends at", "End now")
	b.wantsAccessible()
	b.wantsNarrow()
	b.photographAt("session", 1000, 700)
	evaluate[any](b, `document.querySelector("iframe").contentDocument.querySelector("a").click()`)
	b.eventually("links work", func() bool { return strings.Contains(b.inFrame(), "Page /articles/2") })
	if state, err := kiosk.Session(t.Context(), tap.Grant, true); err != nil || !state.Begun {
		t.Fatalf("the kiosk hears %+v, %v", state, err)
	}
	if err := kiosk.Leave(t.Context(), tap.ID); err != nil {
		t.Fatal(err)
	}
	b.eventually("it is signed out", func() bool { return strings.Contains(b.look(), "You are signed out") })
	b.saysNot("Page /articles/")
	b.wantsAccessible()
	b.wantsNarrow()
	b.photograph("signedout")
	b.eventually("the screen is there for whoever comes next", func() bool { return strings.Contains(b.look(), "Tap your card") })
	b.wantsConsole()
	b.goes("about:blank") // else it would be first below

	plain := newDevice(site, browser, false)
	tap = kiosk.tap()
	kiosk.Offer(wire.BrowserCode("lobby", tap.Grant))
	plain.goes(kiosk.address)
	plain.says("Open the page")
	plain.click("button", http.StatusOK)
	plain.isAt("/.paywall/session")
	plain.visit("/articles/1", http.StatusOK)
	plain.visit("/.paywall/session", http.StatusOK)
	plain.click("button", http.StatusOK)
	plain.says("You are signed out")
	plain.visit("/articles/1", http.StatusPaymentRequired)
	plain.wantsConsole()

	frameless := newDevice(site, browser, true)
	tap = kiosk.tap()
	kiosk.Offer(wire.BrowserCode("lobby", tap.Grant))
	frameless.goes(kiosk.address)
	frameless.eventually("the frame is there", func() bool { return strings.Contains(frameless.inFrame(), "Page /articles/") })
	evaluate[any](frameless, `document.querySelector("iframe").src = "/articles/alone"`)
	frameless.eventually("a page that stands in no frame is linked to", func() bool { return strings.Contains(frameless.look(), "Open it alone") })
}

// A seller's browser, and a phone that reads a card: each page works on a small screen, with
// scripts and without.
func TestASellersBrowserAndAPhoneReadCards(t *testing.T) {
	site := newServer(t, readingRoom)
	site.start()
	site.lobby()
	browser := startBrowser(t)
	for _, scripted := range []bool{true, false} {
		b := newDevice(site, browser, scripted)
		look := func(name string) {
			b.Helper()
			if scripted { // the page is the same without
				b.wantsAccessible()
				b.wantsNarrow()
				b.photograph(name)
			}
		}
		var made struct{ Code string }
		site.operator(&made, "kiosk", "enrol", "stall")
		b.visit("/.paywall/till", http.StatusOK)
		look("till-enrol")
		b.fill("#code", made.Code+"\r")
		b.eventually("it is a till", func() bool { return strings.Contains(b.look(), "What is sold?") })
		look("till-choice")
		b.click(`a[href*="product=coffee"]`, http.StatusOK)
		look("till")
		b.fill("#card", "04010203040506\r") // as a reader types it
		b.eventually("it is paid", func() bool { return strings.Contains(b.look(), "Paid") })
		look("till-paid")
		b.click(`button[value="kept"]`, http.StatusOK)
		b.says("The money has gone back")
		b.fill("#card", "04FFFFFFFFFFFF\r")
		b.eventually("a new card can be claimed", func() bool { return strings.Contains(b.look(), "Nobody’s card yet") })
		look("till-claim")

		b.visit("/articles/1", http.StatusPaymentRequired)
		b.must(chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS(`details:last-of-type summary`), chromedp.NodeVisible)))
		look("challenge-card")
		b.click(`form[action*="/tap/want"] button`, http.StatusOK)
		b.says("Hold your card against the back of the phone", "$0.10")
		look("tap-wait")
		b.wantsQuietConsole()
		b.visit("/.paywall/tap?picc="+strings.Repeat("0", 32)+"&cmac="+strings.Repeat("0", 16), http.StatusUnprocessableEntity)
		look("tap-forged")
	}
}
