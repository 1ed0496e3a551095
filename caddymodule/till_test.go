package caddymodule

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/caddymodule/page"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// stall is a seller's browser that has become a till.
func (s *site) stall() *visitor {
	s.Helper()
	var made kioskCode
	s.decode([]byte(s.operator("kiosk", "enrol", "stall", "--json")), &made)
	v := s.browser()
	v.get(page.TillPath).wants(http.StatusOK).says("Code for this browser").saysNot("coffee")
	enrolled := v.submit(page.EnrolTillPath, url.Values{"code": {made.Code}}).wants(http.StatusSeeOther).wantsHeader("Location", page.TillPath)
	if cookie := enrolled.Header.Get("Set-Cookie"); !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") {
		s.Errorf("the till's cookie is %s", cookie)
	}
	return v
}

func hidden(c *checked, name string) string {
	c.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]+)"`).FindStringSubmatch(c.body)
	if found == nil {
		c.Fatalf("the page has no %s:\n%s", name, c.body)
	}
	return found[1]
}

// takes has a till take what a card pays.
func (v *visitor) takes(product, price, card string, more ...string) *checked {
	v.Helper()
	form := url.Values{"product": {product}, "price": {price}, "card": {card}, "format": {"hex"}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return v.submit(page.TapTillPath, form)
}

// Somebody sells from a stall with a browser: cards are typed, claimed, pay, and what was
// not handed out is given back.
func TestASellerTakesCardsInABrowser(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	till, m := s.stall(), s.machine("5.00")
	till.get(page.TillPath).wants(http.StatusOK).says("What is sold?", "A coffee", "$1.20").wantsHeader("Content-Security-Policy", page.Till{}.Policy())
	till.get(page.TillPath+"?product=coffee").wants(http.StatusOK).says("A coffee $1.20", "Take $1.20", `id="card"`)
	unknown := till.takes("coffee", "1.20", "04:01:02:03:04:05:01").wants(http.StatusOK).says("Nobody’s card yet", "data:image/png;base64,iVBOR")
	claim := regexp.MustCompile(`claim=([^"&]+)`).FindStringSubmatch(unknown.body)[1]
	m.post(page.AddCardPath, map[string]any{"claim": claim}).wants(http.StatusOK)
	paid := till.takes("coffee", "1.20", "04010203040501").wants(http.StatusOK).says("✓ Paid", "Handed out", "Not handed out")
	m.wantsBalance("3.80")
	back := url.Values{"product": {"coffee"}, "format": {"hex"}, "grant": {hidden(paid, "grant")}}
	back.Set("how", "kept")
	till.submit(page.DoneTillPath, back).wants(http.StatusSeeOther).wantsHeader("Location", page.TillPath+"?format=hex&lang=en&product=coffee")
	till.get(page.TillPath + "?product=coffee").says("The money has gone back")
	m.wantsBalance("5.00")
	back.Set("how", "handed")
	till.submit(page.DoneTillPath, back).wants(http.StatusSeeOther)
	till.get(page.TillPath).says("The money had gone back before")

	first := till.takes("coffee", "1.20", "04010203040501").wants(http.StatusOK).says("✓ Paid")
	next := till.takes("coffee", "1.20", "04010203040501", "before", hidden(first, "grant")).wants(http.StatusOK).says("Already paid", "One more of the same")
	m.wantsBalance("3.80")
	sent := till.takes("coffee", "1.20", "04010203040501", "again", "true", "id", hidden(next, "id")).wants(http.StatusOK).says("✓ Paid")
	till.takes("coffee", "1.20", "04010203040501", "again", "true", "id", hidden(next, "id")).wants(http.StatusOK).says("✓ Paid") // reloaded
	m.wantsBalance("2.60")
	back.Set("grant", hidden(sent, "grant"))
	till.submit(page.DoneTillPath, back).wants(http.StatusSeeOther)
	till.get(page.TillPath).says("Handed out and paid for")
	till.takes("coffee", "1.00", "04010203040501").wants(http.StatusOK).says("The price has changed")
	till.takes("coffee", "1.20", "no number").wants(http.StatusUnprocessableEntity).says("This is no card’s number").saysNot("no number")

	n := s.ntag(card.UID{0x04, 9, 9, 9, 9, 9, 9})
	address := func() string {
		picc, mac := n.SUN()
		return s.url + page.TapPath + "?picc=" + hex.EncodeToString(picc[:]) + "&cmac=" + hex.EncodeToString(mac[:])
	}
	unknown = till.takes("gate", "0.10", address()).wants(http.StatusOK).says("Nobody’s card yet")
	claim = regexp.MustCompile(`claim=([^"&]+)`).FindStringSubmatch(unknown.body)[1]
	var mine cardJSON
	s.decode([]byte(m.post(page.AddCardPath, map[string]any{"claim": claim}).wants(http.StatusOK).body), &mine)
	m.post(page.ChangeCardPath, map[string]any{"card": mine.Card, "pin": "4711", "pin_above": "0.05"}).wants(http.StatusOK)
	used := address()
	asked := till.takes("gate", "0.10", used).wants(http.StatusOK).says("Enter the card’s PIN")
	pin := url.Values{"product": {"gate"}, "price": {"0.10"}, "format": {"hex"}, "id": {hidden(asked, "id")}, "state": {hidden(asked, "state")}}
	pin.Set("pin", "1379")
	till.submit(page.TapTillPath, pin).wants(http.StatusOK).says("Three wrong ones in a row block the card")
	pin.Set("pin", "4711")
	till.submit(page.TapTillPath, pin).wants(http.StatusOK).says("✓ Paid")
	m.wantsBalance("2.50")
	till.takes("gate", "0.10", used).wants(http.StatusOK).says("Tap again")
	if list := s.operator("kiosk", "list", "--taps"); !strings.Contains(list, "stall") || !strings.Contains(list, "captured") {
		t.Errorf("the operator sees\n%s", list)
	}
	till.submit(page.LeaveTillPath, nil).wants(http.StatusSeeOther)
	till.get(page.TillPath).says("Code for this browser").saysNot("no till")
}

// The attack: a till's cookie is stolen; a browser that is no till sells, or releases what
// another has taken; another page has the till's browser take a card, whose number it knows.
func TestAttackATill(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	till, m, other := s.stall(), s.machine("5.00"), s.browser()
	unknown := till.takes("coffee", "1.20", "04010203040501")
	m.post(page.AddCardPath, map[string]any{"claim": regexp.MustCompile(`claim=([^"&]+)`).FindStringSubmatch(unknown.body)[1]}).wants(http.StatusOK)
	paid := till.takes("coffee", "1.20", "04010203040501").says("✓ Paid")
	grant := url.Values{"grant": {hidden(paid, "grant")}, "how": {"kept"}}
	for _, stranger := range []*visitor{other, other.with("Cookie", "paywall-till=stall."+strings.Repeat("A", 43)), other.with("Cookie", "paywall-till=lobby.")} {
		stranger.takes("coffee", "1.20", "04010203040501", "again", "true").wants(http.StatusSeeOther).wantsHeader("Location", page.TillPath)
		stranger.submit(page.DoneTillPath, grant).wants(http.StatusSeeOther).wantsHeader("Location", page.TillPath)
		stranger.submit(page.LeaveTillPath, nil).wants(http.StatusSeeOther)
	}
	for _, mark := range crossSite {
		elsewhere := till.with(mark[0], mark[1])
		if mark[0] == "Origin" {
			elsewhere.header.Del("Sec-Fetch-Site")
		}
		elsewhere.takes("coffee", "1.20", "04010203040501", "again", "true").wants(http.StatusForbidden)
		elsewhere.submit(page.DoneTillPath, grant).wants(http.StatusForbidden)
		for _, path := range []string{page.LeaveTillPath, page.EndSessionPath, page.WantTapPath, page.TapTillPath} {
			elsewhere.post(path, nil).wants(http.StatusForbidden).wantsHeader("Set-Cookie", "") // which asks no preflight
			elsewhere.post(path, map[string]any{"path": "/articles/1"}).wants(http.StatusForbidden).wantsHeader("Set-Cookie", "")
		}
	}
	m.wantsBalance("3.80")
	sibling := till.with("Origin", otherOrigin)
	sibling.header.Set("Sec-Fetch-Site", "same-site")
	for _, path := range []string{page.TillPath, page.SessionPath, page.TapPath} {
		sibling.get(path).wants(http.StatusForbidden).saysNot("coffee")
	}
	till.get(page.TillPath).wants(http.StatusOK).says("coffee")
	other.submit(page.EnrolTillPath, url.Values{"code": {"ABCD-EFGH-JKMN-PQRS"}}).wants(http.StatusSeeOther)
	other.get(page.TillPath).says("This code does not make a till")
	s.operator("kiosk", "disable", "stall")
	till.get(page.TillPath).wants(http.StatusOK).says("This browser is no till").saysNot("coffee")
	till.takes("coffee", "1.20", "04010203040501", "again", "true").wants(http.StatusSeeOther)
	till.submit(page.DoneTillPath, grant).wants(http.StatusSeeOther)
	m.wantsBalance("3.80")
}
