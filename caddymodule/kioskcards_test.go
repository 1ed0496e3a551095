package caddymodule

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// claim is what a kiosk shows for a card that nobody has.
func (s *site) claim(k *client.Client, shown wire.Card) string {
	s.Helper()
	v, err := k.Tap(s.Context(), newTap(s.T, "gate", "0.10", shown))
	if err != nil || v.Claim == "" {
		s.Fatalf("%+v, %v", v, err)
	}
	return v.Claim
}

// A holder sets a PIN, and a kiosk that can asks for it above a sum.
func TestACardHasAPINAndIsReplacedByAProgram(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	k, m := s.enrolKiosk("lobby"), s.machine("5.00")
	shown := plainCard(t, 1)
	var mine, next cardJSON
	s.decode([]byte(m.post("/.paywall/cards/add", map[string]any{"claim": s.claim(k, shown), "name": "red"}).wants(http.StatusOK).body), &mine)
	change := func(fields map[string]any) *checked {
		fields["card"] = mine.Card
		return m.post("/.paywall/cards/change", fields)
	}
	change(map[string]any{"pin_above": "1.00"}).wants(http.StatusBadRequest).says("card_pin")
	change(map[string]any{"pin": "1234"}).wants(http.StatusBadRequest).says("card_pin").saysNot("1234")
	change(map[string]any{"pin": "4711", "pin_above": "lots"}).wants(http.StatusBadRequest).saysNot("4711")
	change(map[string]any{"pin": "4711", "pin_above": "1.00"}).wants(http.StatusOK).says(`"pin_above":{"amount":"1.00"`).saysNot("4711")
	tap := newTap(t, "coffee", "1.20", shown)
	if v, err := k.Tap(t.Context(), tap); err != nil || v.Reason != wire.PINNeeded {
		t.Errorf("a kiosk that cannot ask: %+v, %v", v, err)
	}
	tap.PINPad = true
	v, err := k.Tap(t.Context(), tap)
	if err != nil || v.Outcome != wire.Asked || !v.Ask.PIN {
		t.Fatalf("%+v, %v", v, err)
	}
	for _, digits := range []wire.PIN{"9001", "9002", "9003"} {
		tap.Answer = &wire.Answer{State: v.Ask.State, PIN: digits}
		if v, err := k.Tap(t.Context(), tap); err != nil || v.Outcome == wire.Granted {
			t.Errorf("a wrong PIN is %+v, %v", v, err)
		}
	}
	m.get("/.paywall/cards").wants(http.StatusOK).says(`"blocked":true`, `"pin_blocked":true`)
	change(map[string]any{"blocked": false}).wants(http.StatusOK)
	tap.Answer.PIN = "4711"
	if v, err := k.Tap(t.Context(), tap); err != nil || v.Outcome != wire.Granted {
		t.Errorf("the right PIN is %+v, %v", v, err)
	}

	other := plainCard(t, 2)
	claim := s.claim(k, other)
	m.post("/.paywall/cards/add", map[string]any{"claim": claim, "replaces": "none"}).wants(http.StatusNotFound)
	for range 2 {
		s.decode([]byte(m.post("/.paywall/cards/add", map[string]any{"claim": claim, "replaces": mine.Card}).wants(http.StatusOK).body), &next)
	}
	if next.Name != "red" || next.PINAbove == nil || next.Spent.Amount != "1.20" || next.Replaces != "" {
		t.Errorf("the new card is %+v", next)
	}
	m.get("/.paywall/cards").wants(http.StatusOK).says(`"replaced_by":"` + next.Card + `"`)
	if v, err := k.Tap(t.Context(), newTap(t, "gate", "0.10", shown)); err != nil || v.Reason != wire.Replaced {
		t.Errorf("the old card is %+v, %v", v, err)
	}
	m.post("/.paywall/cards/add", map[string]any{"claim": s.claim(k, plainCard(t, 3)), "replaces": mine.Card}).wants(http.StatusConflict).says("card_place")
	mine = next
	change(map[string]any{"pin": ""}).wants(http.StatusOK).saysNot("pin_above")
}

// The same on the page: a PIN is set and never shown, a lost card replaced by a choice.
func TestAReaderSetsAPINAndReplacesACard(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	k, r := s.enrolKiosk("lobby"), s.browser()
	claim := s.claim(k, plainCard(t, 1))
	r.submit("/.paywall/vouchers/redeem", url.Values{"code": {s.voucher("5.00")}}).wants(http.StatusSeeOther)
	r.get("/.paywall/cards?claim=" + claim).saysNot("It takes the place of")
	address, err := url.Parse(r.submit("/.paywall/cards/add", url.Values{"claim": {claim}, "name": {"Red"}}).wants(http.StatusSeeOther).Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	id := address.Query().Get("card")
	change := func(fields url.Values) {
		t.Helper()
		fields.Set("card", id)
		r.submit("/.paywall/cards/change", fields).wants(http.StatusSeeOther).wantsHeader("Location", address.String())
	}
	change(url.Values{"tap_limit": {"lots"}})
	r.get(address.String()).says("The card could not be changed")
	change(url.Values{"pin": {""}, "pin_above": {""}})
	r.get(address.String()).says("The PIN could not be set", "It has no PIN.")
	change(url.Values{"pin": {"4711"}, "pin_above": {"2.00"}})
	r.get(address.String()).says("The card has been changed", "more than $2.00 in a day").saysNot("4711")
	change(url.Values{"pin": {""}, "pin_above": {""}})
	r.get(address.String()).says("asks for its PIN at every tap")
	change(url.Values{"remove_pin": {"true"}})
	r.get(address.String()).says("It has no PIN.")

	claim = s.claim(k, plainCard(t, 2))
	r.get("/.paywall/cards?claim="+claim).says("It takes the place of", `<option value="`+id+`"`)
	r.submit("/.paywall/cards/add", url.Values{"claim": {claim}, "name": {""}, "replaces": {id}}).wants(http.StatusSeeOther)
	r.get("/.paywall/cards").says("The card has taken the other one’s place", "Replaced cards")
	r.submit("/.paywall/cards/remove", url.Values{"card": {id}}).wants(http.StatusSeeOther)
	r.get("/.paywall/cards").says("The card has been removed").saysNot("Replaced cards")
}

// The attack: a token that pays little is stolen together with a card, whose limits it lifts.
func TestATokenWithALimitLiftsNoneOfACard(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	k := s.enrolKiosk("lobby")
	var full, limited madeJSON
	s.decode([]byte(s.stranger().post("/.paywall/wallets", map[string]any{}).wants(http.StatusCreated).body), &full)
	s.decode([]byte(s.stranger().post("/.paywall/recover", map[string]any{"code": full.RecoveryCode, "max_price": "0.50"}).wants(http.StatusOK).body), &limited)
	holder, thief := s.stranger().with("Authorization", "Bearer "+full.Token), s.stranger().with("Authorization", "Bearer "+limited.Token)
	var mine cardJSON
	s.decode([]byte(holder.post("/.paywall/cards/add", map[string]any{"claim": s.claim(k, plainCard(t, 1))}).wants(http.StatusOK).body), &mine)
	change := func(by *visitor, name string, value any, want int) {
		t.Helper()
		by.post("/.paywall/cards/change", map[string]any{"card": mine.Card, name: value}).wants(want)
	}
	change(holder, "pin", "4711", http.StatusOK)
	for name, value := range map[string]any{"pin": "", "pin_above": "100", "tap_limit": "", "day_limit": "", "blocked": false, "offline": true, "name": "x"} {
		change(thief, name, value, http.StatusForbidden)
	}
	change(thief, "blocked", true, http.StatusOK)
	change(holder, "blocked", false, http.StatusOK)
}
