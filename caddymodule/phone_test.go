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
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// opens is the address that a card has a phone open.
func opens(n *virtual.NTAG) string {
	picc, mac := n.SUN()
	return page.TapPath + "?picc=" + strings.ToUpper(hex.EncodeToString(picc[:])) + "&cmac=" + hex.EncodeToString(mac[:])
}

func tokenIn(c *checked) string {
	c.Helper()
	found := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(c.body)
	if found == nil {
		c.Fatalf("there is nothing to send back:\n%s", c.body)
	}
	return found[1]
}

// Somebody without a wallet on their phone wants to read a page, holds their card against
// it, and reads; the money comes from the card's wallet, once.
func TestACardPaysForAPageOnAPhone(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine+`
	paywall /gone/* 0.10
	`)
	r, phone := s.browser(), s.browser()
	r.submit(page.RedeemPath, url.Values{"code": {s.voucher("5.00")}}).wants(http.StatusSeeOther)
	n := s.ntag(card.UID{0x04, 9, 9, 9, 9, 9, 9})
	address := r.get(opens(n)).wants(http.StatusSeeOther).Header.Get("Location")
	claim, err := url.Parse(address)
	if err != nil || claim.Path != page.CardsPath {
		t.Fatalf("a card that nobody has leads to %s, %v", address, err)
	}
	r.submit(page.AddCardPath, url.Values{"claim": {claim.Query().Get("claim")}, "name": {"Red"}}).wants(http.StatusSeeOther)
	if at := r.get(opens(n)).wants(http.StatusSeeOther).Header.Get("Location"); !strings.HasPrefix(at, page.CardsPath+"?card=") {
		t.Errorf("whoever has the card is led to %s", at)
	}
	phone.get(opens(n)).wants(http.StatusOK).says("This card pays from a wallet", "This is not my card").saysNot("Red", "5.00", "Pay $")

	phone.get("/articles/1").wants(http.StatusPaymentRequired).says(`action="/.paywall/tap/want?lang=en"`, `name="path" value="/articles/1"`)
	phone.submit(page.WantTapPath, url.Values{"path": {"/articles/1"}}).wants(http.StatusSeeOther)
	phone.get(page.TapPath).wants(http.StatusOK).says("Hold your card against", "$0.10", "The Lamp")
	used := opens(n)
	phone.with("Sec-Purpose", "prefetch").get(used).wants(http.StatusOK).saysNot("Pay $0.10 and read")
	phone.do(http.MethodHead, used, "", "").wants(http.StatusOK)
	token := tokenIn(phone.get(used).wants(http.StatusOK).says("Pay $0.10 and read"))
	phone.get(used).wants(http.StatusConflict).says("Tap again")
	r.wantsBalance("5.00")
	paid := phone.submit(page.PayTapPath, url.Values{"token": {token}}).wants(http.StatusSeeOther).wantsHeader("Location", "/articles/1")
	for _, cookie := range paid.Header["Set-Cookie"] {
		if !strings.Contains(cookie, "HttpOnly") || strings.HasPrefix(cookie, "paywall=") {
			t.Errorf("the phone gets %s", cookie)
		}
	}
	r.wantsBalance("4.90")
	phone.get("/articles/2").wants(http.StatusPaymentRequired)
	for range 2 { // with the pass, and then with the receipt
		phone.get("/articles/1").wants(http.StatusOK).says("SECRET").wantsHeader("Paywall-Charged", "")
	}
	phone.get("/.paywall/wallet").wants(http.StatusOK).saysNot("4.90")
	r.get("/articles/1").wants(http.StatusOK) // its wallet has paid for it
	r.wantsBalance("4.90")

	phone.submit(page.WantTapPath, url.Values{"path": {"/gone/1"}}).wants(http.StatusSeeOther)
	token = tokenIn(phone.get(opens(n)).wants(http.StatusOK))
	phone.submit(page.PayTapPath, url.Values{"token": {token}}).wants(http.StatusSeeOther)
	r.wantsBalance("4.80")
	phone.get("/gone/1").wants(http.StatusNotFound).wantsHeader("Paywall-Refunded", "0.10 USD")
	r.wantsBalance("4.90")
	phone.get("/gone/1").wants(http.StatusPaymentRequired)
}

// Whoever has found a card blocks it, and its owner alone lets it pay again.
func TestWhoeverHoldsACardCanBlockIt(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	k, m, finder := s.enrolKiosk("lobby"), s.machine("5.00"), s.browser()
	n := s.ntag(card.UID{0x04, 9, 9, 9, 9, 9, 9})
	at, err := url.Parse(finder.get(opens(n)).wants(http.StatusSeeOther).Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	m.post(page.AddCardPath, map[string]any{"claim": at.Query().Get("claim")}).wants(http.StatusOK)
	token := tokenIn(finder.get(opens(n)))
	finder.submit(page.BlockTapPath, url.Values{"token": {token}}).wants(http.StatusSeeOther).wantsHeader("Location", page.TapPath)
	finder.get(page.TapPath).says("The card has been blocked")
	picc, mac := n.SUN()
	if v, err := k.Tap(t.Context(), newTap(t, "gate", "0.10", wire.Card{SUN: true, PICC: picc, MAC: mac})); err != nil || v.Reason != wire.Blocked {
		t.Errorf("it is %+v, %v", v, err)
	}
	finder.get(opens(n)).wants(http.StatusOK).says("it pays nowhere").saysNot("Pay $", "Block this card")

	for _, token := range []string{"", token[1:]} {
		for _, path := range []string{page.BlockTapPath, page.PayTapPath} {
			finder.submit(page.WantTapPath, url.Values{"path": {"/articles/1"}}).wants(http.StatusSeeOther)
			finder.submit(path, url.Values{"token": {token}}).wants(http.StatusSeeOther).wantsHeader("Location", page.TapPath)
			finder.get(page.TapPath).says("Hold the card against the phone again")
		}
	}
	m.wantsBalance("5.00")
}

// The attack: messages are made up until one fits, from one address.
func TestWrongMessagesAreLimited(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	v := s.browser()
	for range maxWrongCodes {
		v.get(page.TapPath + "?picc=" + strings.Repeat("00", 16) + "&cmac=" + strings.Repeat("00", 8)).wants(http.StatusUnprocessableEntity).says("not genuine")
	}
	v.get(page.TapPath + "?p=1&c=2").wants(http.StatusTooManyRequests)
	v.get(page.TapPath).wants(http.StatusOK) // the page that waits
	s.load(magazine)
	v.get(page.TapPath + "?p=1&c=2").wants(http.StatusNotFound)
	v.submit(page.WantTapPath, url.Values{"path": {"/articles/1"}}).wants(http.StatusNotFound)
	v.get("/articles/1").wants(http.StatusPaymentRequired).saysNot("/.paywall/tap")
}
