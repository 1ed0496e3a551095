package caddymodule

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/simulate"
)

// passer is somebody in front of the simulation's page.
type passer struct {
	*testing.T
	address, form, page string
}

func (v *passer) read(response *http.Response, err error) int {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.Fatal(err)
	}
	v.page = string(body)
	return response.StatusCode
}

// posts sends one of the page's forms and reads the page that follows.
func (v *passer) posts(path string, fields url.Values) int {
	v.Helper()
	if v.form == "" {
		v.read(http.Get(v.address)) //nolint:noctx // a test's
		v.form = regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(v.page)[1]
	}
	fields.Set("form", v.form)
	return v.read(http.PostForm(v.address+path, fields)) //nolint:noctx // a test's
}

func (v *passer) says(all ...string) {
	v.Helper()
	for _, text := range all {
		if !strings.Contains(v.page, text) {
			v.Errorf("the page does not say %q:\n%s", text, v.page)
		}
	}
}

// startSimulation runs it beside a site until the test ends, or stop is called.
func (s *site) startSimulation(code, state string) (v *passer, stop func()) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- simulate.Run(ctx, simulate.Options{Site: s.url, Code: code, Listen: "127.0.0.1:0", State: state}, func(address string) { ready <- address })
	}()
	select {
	case address := <-ready:
		return &passer{T: s.T, address: address}, func() {
			cancel()
			if err := <-ended; err != nil {
				s.Error(err)
			}
		}
	case err := <-ended:
		cancel()
		s.Fatal(err)
		return nil, nil
	}
}

// What the README says of the simulation: a virtual card is claimed and funded, taps, ten
// cents leave the wallet, and the gate opens.
func TestTheSimulationTapsACardAtTheGate(t *testing.T) {
	// However slow the machine is, the second tap comes within the guard.
	s := startSiteWith(t, strings.Replace(withKiosks, "kiosks {", "kiosks {\nguard 1m", 1), magazine)
	var made kioskCode
	s.decode([]byte(s.operator("kiosk", "enrol", "demo", "--json")), &made)
	state := t.TempDir()
	v, stop := s.startSimulation(made.Code, state)
	gate := url.Values{"product": {"gate"}}
	v.posts("/tap", gate)
	v.says("0.00 USD", "Nobody’s card yet", "Make this card mine", "Shut")
	v.posts("/claim", url.Values{})
	v.posts("/tap", gate)
	v.says("Not enough money", "Shut")
	if status := v.posts("/redeem", url.Values{"code": {"ABCD"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong voucher: %d", status)
	}
	v.says("the paywall answers 422")
	v.posts("/redeem", url.Values{"code": {s.voucher("5.00")}})
	v.posts("/tap", gate)
	v.says("4.90 USD", "Paid", "Open: gate")
	v.posts("/tap", gate)
	v.says("4.90 USD", "Already paid")
	eventually(t, "the paywall is told that the gate has opened", func() bool {
		return strings.Contains(s.operator("kiosk", "list", "--taps"), "captured")
	})
	if _, err := http.PostForm(v.address+"/tap", gate); err != nil { //nolint:noctx // a test's
		t.Fatal(err)
	}
	stop()
	// The same card and kiosk the next time.
	v, stop = s.startSimulation("", state)
	v.posts("/tap", url.Values{"product": {"coffee"}})
	v.says("3.70 USD", "Paid", "Open: coffee")
	stop()
	list := s.operator("kiosk", "list", "--taps")
	if strings.Count(list, "captured") != 2 {
		t.Errorf("the taps are\n%s", list)
	}
}

// A card of the simulation is given to another wallet, whose holder sets a PIN.
func TestTheSimulationEntersAPIN(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	var made kioskCode
	s.decode([]byte(s.operator("kiosk", "enrol", "till", "--json")), &made)
	v, stop := s.startSimulation(made.Code, t.TempDir())
	defer stop()
	gate := func(digits string) url.Values { return url.Values{"product": {"gate"}, "pin": {digits}} }
	v.posts("/tap", gate(""))
	claim := regexp.MustCompile(`cards\?claim=([A-Za-z0-9_-]+)`).FindStringSubmatch(v.page)[1]
	m := s.machine("5.00")
	var mine cardJSON
	s.decode([]byte(m.post("/.paywall/cards/add", map[string]any{"claim": claim}).wants(http.StatusOK).body), &mine)
	m.post("/.paywall/cards/change", map[string]any{"card": mine.Card, "pin": "4711"}).wants(http.StatusOK)
	v.posts("/tap", gate(""))
	v.says("wants its PIN", `name="pin"`, "Shut")
	v.posts("/tap", gate("9001"))
	v.says(`name="pin"`, "Shut")
	v.posts("/tap", gate("4711"))
	v.says("Paid", "Open: gate")
	m.wantsBalance("4.90")
}

// The attack: another page in the same browser taps the card.
func TestAnotherPageDoesNotTapTheVirtualCard(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	var made kioskCode
	s.decode([]byte(s.operator("kiosk", "enrol", "alone", "--json")), &made)
	v, stop := s.startSimulation(made.Code, t.TempDir())
	defer stop()
	for _, form := range []string{"", "guessed"} {
		if status := v.read(http.PostForm(v.address+"/tap", url.Values{"product": {"gate"}, "form": {form}})); status != http.StatusForbidden { //nolint:noctx // a test's
			t.Errorf("a form of another page: %d", status)
		}
	}
	if list := s.operator("kiosk", "list", "--taps"); strings.Contains(list, "gate") {
		t.Errorf("the card was tapped:\n%s", list)
	}
	err := simulate.Run(t.Context(), simulate.Options{Site: s.url, Code: "", Listen: "127.0.0.1:0", State: t.TempDir()}, nil)
	if err == nil || !strings.Contains(err.Error(), "caddy paywall kiosk enrol") {
		t.Errorf("without a code: %v", err)
	}
}
