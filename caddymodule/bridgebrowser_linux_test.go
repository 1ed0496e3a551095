package caddymodule

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial/serialtest"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// A card on a reader that sees how long it lies there opens pages in the kiosk's browser,
// until it is taken away.
func TestACardThatLeavesSignsTheKiosksBrowserOut(t *testing.T) {
	s := startSiteWith(t, withReadingRoom, magazine)
	terminal, line := serialtest.Open(t)
	number := []byte{0x04, 0, 0x6E, 0x51, 0x07}
	known, err := uid.New(number)
	if err != nil {
		t.Fatal(err)
	}
	m, v := s.machine("5.00"), s.kioskBrowser()
	s.claims(m, wire.Card{UID: known})
	b, stop := s.startBridge(fmt.Sprintf(`{"driver":"serial","path":%q}`, line), `"actuator":{"exec":null,"browser":true,"while_card":true}`)
	defer stop()
	b.shows("0.10")
	gone := make(chan struct{})
	ended := make(chan error, 1)
	go func() { // as an RDM6300 does it
		sum := byte(0)
		for _, part := range number {
			sum ^= part
		}
		for {
			select {
			case <-gone:
				ended <- nil
				return
			case <-time.After(100 * time.Millisecond):
			}
			if _, err := fmt.Fprintf(terminal, "\x02%X%02X\x03", number, sum); err != nil {
				ended <- err
				return
			}
		}
	}()
	shown := b.shows("Open the page")
	field := func(name string) string {
		return regexp.MustCompile(`name="` + name + `" value="([^"]+)"`).FindStringSubmatch(shown)[1]
	}
	answer := v.with("Origin", "http://"+b.screen).submit(wire.BrowserPath, url.Values{
		wire.CodeField: {field(wire.CodeField)}, wire.ReturnField: {field(wire.ReturnField)},
	}).wants(http.StatusSeeOther)
	v.get(answer.Header.Get("Location")).wants(http.StatusOK).says("End now")
	v.get("/articles/1").wants(http.StatusOK).says("SECRET")
	b.shows("Paid")
	m.wantsBalance("4.90")
	v.get("/articles/1").wants(http.StatusOK)
	close(gone)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is signed out", func() bool { return v.get("/articles/1").StatusCode == http.StatusPaymentRequired })
	v.get(page.SessionPath).says("You are signed out", "http://"+b.screen+"/")
	m.wantsBalance("4.90")
}
