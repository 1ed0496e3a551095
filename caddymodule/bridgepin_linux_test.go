package caddymodule

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial/serialtest"
)

// From a card on a reader to the screen's form, the paywall's judgement and the gate: whoever
// has found the card does not open it, whoever knows its PIN does.
func TestAKioskAsksForThePINOnItsScreen(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	terminal, line := serialtest.Open(t)
	m := s.machine("5.00")
	s.claims(m, plainCard(t, 1))
	var all cardsJSON
	s.decode([]byte(m.get("/.paywall/cards").wants(http.StatusOK).body), &all)
	m.post("/.paywall/cards/change", map[string]any{"card": all.Cards[0].Card, "pin": "4711"}).wants(http.StatusOK)
	b, stop := s.startBridge(fmt.Sprintf(`{"driver":"lines","path":%q}`, line))
	eventually(t, "the reader is there", func() bool { return strings.Contains(s.operator("kiosk", "list", "--json"), line) })
	b.shows("0.10")
	if _, err := io.WriteString(terminal, "04010203040501\n"); err != nil {
		t.Fatal(err)
	}
	enter := func(says, digits string) {
		t.Helper()
		token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(b.shows(says))
		if token == nil {
			t.Fatal("the screen has no form")
		}
		response, err := http.PostForm("http://"+b.screen+"/pin", url.Values{"token": {token[1]}, "pin": {digits}}) //nolint:noctx // a test's
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	enter("Enter the card’s PIN", "9001")
	m.wantsBalance("5.00")
	enter("Wrong PIN", "4711")
	b.shows("Paid")
	eventually(t, "it is opened", func() bool { return b.openings() == 1 })
	m.wantsBalance("4.90")
	stop()
}
