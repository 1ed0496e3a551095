package caddymodule

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const withKiosks = `paywall {
	kiosks {
		product coffee 1.20 "A coffee"
		product gate 0.10
		limit uid 1.50 3.00
	}
}`

func newTap(t *testing.T, product, price string, shown wire.Card) wire.Tap {
	t.Helper()
	id, err := wallet.NewOpID(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Tap{ID: id, Product: product, Price: price, Card: shown}
}

func (s *site) enrolmentCode(kiosk string) string {
	s.Helper()
	var made kioskCode
	s.decode([]byte(s.operator("kiosk", "enrol", kiosk, "--json")), &made)
	return made.Code
}

// enrolKiosk makes a kiosk by the operator's command and the kiosk's own client.
func (s *site) enrolKiosk(name string) *client.Client {
	s.Helper()
	id, err := client.Enrol(s.Context(), s.url, s.enrolmentCode(name), filepath.Join(s.TempDir(), "identity.json"), nil)
	if err != nil {
		s.Fatal(err)
	}
	c, err := client.New(id, nil)
	if err != nil {
		s.Fatal(err)
	}
	return c
}

func plainCard(t *testing.T, last byte) wire.Card {
	t.Helper()
	number, err := uid.New([]byte{0x04, 1, 2, 3, 4, 5, last})
	if err != nil {
		t.Fatal(err)
	}
	return wire.Card{UID: number}
}

// A kiosk is enrolled, a card claimed by who holds it, tapped, and paid for.
func TestACardPaysAtAKiosk(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	k, m := s.enrolKiosk("lobby"), s.machine("5.00")
	policy, err := k.State(t.Context(), wire.State{Version: "test", Readers: []wire.Reader{{Name: "ACR1252"}, {Name: "wedge", Fault: "unplugged"}}})
	if err != nil || len(policy.Products) != 2 || policy.Products[0] != (wire.Product{Name: "coffee", Title: "A coffee", Price: "1.20"}) ||
		policy.Products[1].Title != "gate" || policy.Currency != "USD" {
		t.Fatalf("the policy is %+v, %v", policy, err)
	}
	shown := plainCard(t, 1)
	v, err := k.Tap(t.Context(), newTap(t, "coffee", "1.20", shown))
	if err != nil || v.Outcome != wire.Unknown || v.Claim == "" {
		t.Fatalf("an unknown card is %+v, %v", v, err)
	}
	var mine cardJSON
	s.decode([]byte(m.post("/.paywall/cards/add", map[string]any{"claim": v.Claim, "name": "red"}).wants(http.StatusOK).body), &mine)
	v, err = k.Tap(t.Context(), newTap(t, "coffee", "1.20", shown))
	if err != nil || v.Outcome != wire.Granted || time.Until(time.UnixMilli(v.Expires)) > 31*time.Second {
		t.Fatalf("the tap is %+v, %v", v, err)
	}
	m.wantsBalance("3.80")
	if r, err := k.Capture(t.Context(), v.Grant); err != nil || r.Outcome != "captured" || r.Amount != "1.20" {
		t.Errorf("capturing: %+v, %v", r, err)
	}
	if v, err = k.Tap(t.Context(), newTap(t, "gate", "0.10", shown)); err != nil || v.Outcome != wire.Granted {
		t.Fatalf("the gate is %+v, %v", v, err)
	}
	if r, err := k.Release(t.Context(), v.Grant); err != nil || r.Outcome != "released" {
		t.Errorf("releasing: %+v, %v", r, err)
	}
	m.wantsBalance("3.80")
	var cards cardsJSON
	s.decode([]byte(m.get("/.paywall/cards").wants(http.StatusOK).body), &cards)
	if len(cards.Cards) != 1 || cards.Cards[0].Name != "red" || cards.Cards[0].Spent.Amount != "1.20" || cards.Cards[0].Proof != "uid" {
		t.Errorf("the cards are %+v", cards)
	}
	list := s.operator("kiosk", "list", "--taps")
	for _, want := range []string{"lobby", "2; wedge: unplugged", "coffee", "captured", "released", "unknown"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list does not say %q:\n%s", want, list)
		}
	}
	if report := s.operator("report", "--json"); !strings.Contains(report, "kiosk/coffee") {
		t.Errorf("the report has no kiosk's sale: %s", report)
	}
}

// Whoever holds a card decides what it may do, at once.
func TestACardsHolderLimitsAndBlocksIt(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	k, m, other := s.enrolKiosk("lobby"), s.machine("5.00"), s.machine("")
	shown := plainCard(t, 1)
	v, err := k.Tap(t.Context(), newTap(t, "gate", "0.10", shown))
	if err != nil {
		t.Fatal(err)
	}
	limited := s.stranger()
	var made madeJSON
	s.decode([]byte(limited.post("/.paywall/wallets", map[string]any{"max_price": "0.50"}).wants(http.StatusCreated).body), &made)
	limited.with("Authorization", "Bearer "+made.Token).post("/.paywall/cards/add", map[string]any{"claim": v.Claim}).wants(http.StatusForbidden)
	s.stranger().post("/.paywall/cards/add", map[string]any{"claim": v.Claim}).wants(http.StatusUnauthorized)
	m.post("/.paywall/cards/add", map[string]any{"claim": v.Claim[1:]}).wants(http.StatusUnprocessableEntity)
	m.post("/.paywall/cards/add", map[string]any{"claim": v.Claim, "name": strings.Repeat("x", 41)}).wants(http.StatusBadRequest)
	var mine cardJSON
	s.decode([]byte(m.post("/.paywall/cards/add", map[string]any{"claim": v.Claim}).wants(http.StatusOK).body), &mine)
	other.post("/.paywall/cards/add", map[string]any{"claim": v.Claim}).wants(http.StatusConflict)
	other.post("/.paywall/cards/change", map[string]any{"card": mine.Card, "blocked": true}).wants(http.StatusNotFound)
	other.post("/.paywall/cards/remove", map[string]any{"card": mine.Card}).wants(http.StatusNotFound)
	m.post("/.paywall/cards/change", map[string]any{"card": mine.Card, "tap_limit": "lots"}).wants(http.StatusBadRequest)
	m.post("/.paywall/cards/change", map[string]any{"card": mine.Card, "tap_limit": "1.00", "name": "blue"}).wants(http.StatusOK).says(`"blue"`)
	for change, want := range map[string]wire.Reason{`{"tap_limit":"1.00"}`: wire.TapLimit, `{"blocked":true}`: wire.Blocked} {
		fields := map[string]any{"card": mine.Card}
		if err := json.Unmarshal([]byte(change), &fields); err != nil {
			t.Fatal(err)
		}
		m.post("/.paywall/cards/change", fields).wants(http.StatusOK)
		if v, err := k.Tap(t.Context(), newTap(t, "coffee", "1.20", shown)); err != nil || v.Reason != want {
			t.Errorf("after %s a tap is %+v, %v", change, v, err)
		}
		m.post("/.paywall/cards/change", map[string]any{"card": mine.Card, "blocked": false}).wants(http.StatusOK)
	}
	m.post("/.paywall/cards/remove", map[string]any{"card": mine.Card}).wants(http.StatusOK)
	m.get("/.paywall/cards").wants(http.StatusOK).says(`{"cards":[]}`)
	m.wantsBalance("5.00")
}

// The attack: a stolen kiosk goes on, or its requests are replayed by who has seen them.
func TestAKioskThatIsDisabledIsRefused(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	k := s.enrolKiosk("lobby")
	if _, err := k.State(t.Context(), wire.State{}); err != nil {
		t.Fatal(err)
	}
	s.operator("kiosk", "disable", "lobby")
	var refused client.RefusalError
	if _, err := k.State(t.Context(), wire.State{}); !errors.As(err, &refused) || refused.Status != http.StatusForbidden {
		t.Errorf("a disabled kiosk: %v", err)
	}
	s.operator("kiosk", "disable", "lobby", "--undo")
	if _, err := k.State(t.Context(), wire.State{}); err != nil {
		t.Errorf("one that is enabled again: %v", err)
	}
	s.enrolKiosk("lobby")
	if _, err := k.State(t.Context(), wire.State{}); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Errorf("one whose name another machine has: %v", err)
	}
	for _, path := range []string{wire.StatePath, wire.TapPath, wire.CapturePath, wire.ReleasePath} {
		s.stranger().post(path, map[string]any{}).wants(http.StatusUnauthorized)
		s.machine("").post(path, map[string]any{}).wants(http.StatusUnauthorized)
		s.stranger().get(path).wants(http.StatusMethodNotAllowed)
	}
	s.stranger().post(wire.EnrolPath, map[string]any{"code": "ABCD", "key": make([]byte, 32)}).wants(http.StatusUnprocessableEntity)
	if _, err := s.tryOperator("kiosk", "disable", "nobody"); err == nil {
		t.Error("a kiosk that is none can be disabled")
	}
	if _, err := s.tryOperator("kiosk", "enrol", "Lobby!"); err == nil {
		t.Error("a kiosk can have any name")
	}
}

// ntag is a card with the keys that the site derives for it.
func (s *site) ntag(number card.UID) *virtual.NTAG {
	s.Helper()
	text, err := os.ReadFile(dataPath(secretFile))
	if err != nil {
		s.Fatal(err)
	}
	secret, err := wallet.ParseSecret(strings.TrimSpace(string(text)))
	if err != nil {
		s.Fatal(err)
	}
	keys, err := kioskKeys(secret)
	if err != nil {
		s.Fatal(err)
	}
	return virtual.NewNTAG(number, card.Bolt(keys.Cards, number, 1).Keys, s.url+"/.paywall/tap?")
}

// A card that the site has personalised signs its message, and the site that has the
// secret alone can tell.
func TestASigningCardPaysAtAKiosk(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	k, m := s.enrolKiosk("lobby"), s.machine("5.00")
	n := s.ntag(card.UID{0x04, 9, 9, 9, 9, 9, 9})
	tap := func() wire.Tap {
		picc, mac := n.SUN()
		return newTap(t, "coffee", "1.20", wire.Card{SUN: true, PICC: picc, MAC: mac})
	}
	v, err := k.Tap(t.Context(), tap())
	if err != nil || v.Outcome != wire.Unknown {
		t.Fatalf("a new card is %+v, %v", v, err)
	}
	m.post("/.paywall/cards/add", map[string]any{"claim": v.Claim}).wants(http.StatusOK).says(`"sun"`)
	again := tap()
	if v, err = k.Tap(t.Context(), again); err != nil || v.Outcome != wire.Granted {
		t.Fatalf("the tap is %+v, %v", v, err)
	}
	if _, err := k.Release(t.Context(), v.Grant); err != nil {
		t.Fatal(err)
	}
	replayed := newTap(t, "coffee", "1.20", again.Card)
	if v, err = k.Tap(t.Context(), replayed); err != nil || v.Reason != wire.Replayed {
		t.Errorf("its message again is %+v, %v", v, err)
	}
}

// Without the option there are no kiosks.
func TestAPaywallWithoutKiosksHasNone(t *testing.T) {
	s := startSite(t, magazine)
	s.stranger().post(wire.EnrolPath, map[string]any{}).wants(http.StatusNotFound)
	s.stranger().post(wire.TapPath, map[string]any{}).wants(http.StatusNotFound)
	s.machine("").get("/.paywall/cards").wants(http.StatusNotFound)
	if _, err := s.tryOperator("kiosk", "list"); err == nil || !strings.Contains(err.Error(), "option kiosks") {
		t.Errorf("the operator hears %v", err)
	}
}

// A reader follows the address that a kiosk shows, gets a wallet by a voucher, and the card
// is theirs; blocking it takes one click.
func TestAReaderMakesACardTheirsOnAPage(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	k, r := s.enrolKiosk("lobby"), s.browser()
	shown := plainCard(t, 1)
	v, err := k.Tap(t.Context(), newTap(t, "gate", "0.10", shown))
	if err != nil || v.Claim == "" {
		t.Fatalf("%+v, %v", v, err)
	}
	address := "/.paywall/cards?claim=" + v.Claim
	r.get(address).wants(http.StatusOK).says("A card needs a wallet").saysNot("/.paywall/cards/add")
	r.submit("/.paywall/vouchers/redeem", url.Values{"code": {s.voucher("5.00")}, "return": {address}}).wants(http.StatusSeeOther).
		wantsHeader("Location", address)
	r.get(address).wants(http.StatusOK).says("A card wants to pay from this wallet", v.Claim)
	added := r.submit("/.paywall/cards/add", url.Values{"claim": {v.Claim}, "name": {"Red <b>"}}).wants(http.StatusSeeOther).Header.Get("Location")
	page := r.get(added).wants(http.StatusOK).says("The card pays from your wallet now", "Red &lt;b&gt;", `<details class="card" open>`).saysNot(`role="alert"`)
	id := regexp.MustCompile(`name="card" value="([0-9a-f]{64})"`).FindStringSubmatch(page.body)[1]
	if v, err = k.Tap(t.Context(), newTap(t, "gate", "0.10", shown)); err != nil || v.Outcome != wire.Granted {
		t.Fatalf("%+v, %v", v, err)
	}
	r.submit("/.paywall/cards/change", url.Values{"card": {id}, "name": {"Red"}, "tap_limit": {"1.00"}, "day_limit": {""}}).wants(http.StatusSeeOther)
	r.get("/.paywall/cards").says("The card has been changed", `value="1.00"`)
	if v, err = k.Tap(t.Context(), newTap(t, "coffee", "1.20", shown)); err != nil || v.Reason != wire.TapLimit {
		t.Errorf("%+v, %v", v, err)
	}
	r.submit("/.paywall/cards/change", url.Values{"card": {id}, "tap_limit": {"lots"}}).wants(http.StatusSeeOther)
	r.get("/.paywall/cards").says("The card could not be changed")
	r.submit("/.paywall/cards/change", url.Values{"card": {id}, "blocked": {"true"}}).wants(http.StatusSeeOther)
	r.get("/.paywall/cards").says("This card is blocked", "Let this card pay again", `value="Red"`)
	if v, err = k.Tap(t.Context(), newTap(t, "gate", "0.10", shown)); err != nil || v.Reason != wire.Blocked {
		t.Errorf("%+v, %v", v, err)
	}
	r.submit("/.paywall/cards/add", url.Values{"claim": {"none"}}).wants(http.StatusSeeOther)
	r.get("/.paywall/cards").says("This card cannot be added")
	r.submit("/.paywall/cards/remove", url.Values{"card": {id}}).wants(http.StatusSeeOther)
	r.get("/.paywall/cards").says("The card has been removed", "No card pays from this wallet yet")
	r.get("/.paywall/wallet").says(`href="/.paywall/cards?lang=en"`)
}
