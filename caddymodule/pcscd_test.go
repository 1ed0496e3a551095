//go:build root && linux

package caddymodule

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	rfidcmd "github.com/caddy-paywall/caddy-paywall/rfidbridge/command"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc/pcsctest"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// layReal lays a card on the reader of the real pcscd until something has come of it.
func layReal(t *testing.T, address string, c virtual.Transmitter, until func() bool) {
	t.Helper()
	layRealAs(t, address, virtual.ATR, c, until)
}

func layRealAs(t *testing.T, address string, atr []byte, c virtual.Transmitter, until func() bool) {
	t.Helper()
	ctx, remove := context.WithCancel(t.Context())
	lying := make(chan error, 1)
	go func() { lying <- virtual.Lie(ctx, address, atr, c, pcsctest.Hurry) }()
	eventually(t, "the tap has come to its end", until)
	remove()
	if err := <-lying; err != nil {
		t.Error(err)
	}
	time.Sleep(time.Second) // pcscd looks every 400 ms whether it is gone
}

// From a card on a reader of the real pcscd to money that has moved: a card that signs is
// claimed, tapped, and paid for each time that it is laid down; one of another shop is not.
func TestACardOnARealReaderOpensTheGate(t *testing.T) {
	address := pcsctest.StartReal(t)
	s := startSiteWith(t, withKiosks, magazine)
	m := s.machine("5.00")
	mine := s.ntag(card.UID{0x04, 1, 1, 1, 1, 1, 1})
	picc, mac := mine.SUN()
	s.claims(m, wire.Card{SUN: true, PICC: picc, MAC: mac})
	b, stop := s.startBridge(`{"driver":"pcsc","name":"Virtual*"}`)
	defer stop()
	taps := func() string { return s.operator("kiosk", "list", "--taps") }
	lay := func(n *virtual.NTAG, until func() bool) { t.Helper(); layReal(t, address, n, until) }
	eventually(t, "the operator hears of the reader", func() bool {
		return strings.Contains(s.operator("kiosk", "list", "--json"), pcsctest.RealReader)
	})
	for n := 1; n <= 2; n++ {
		lay(mine, func() bool { return b.openings() == n && strings.Count(taps(), "captured") == n })
		time.Sleep(2500 * time.Millisecond) // the guard
	}
	m.wantsBalance("4.80")
	number := card.UID{0x04, 2, 2, 2, 2, 2, 2}
	foreign := virtual.NewNTAG(number, card.Bolt(card.Key{9}, number, 1).Keys, "https://shop.example/?")
	lay(foreign, func() bool { return strings.Contains(taps(), "forged") })
	m.wantsBalance("4.80")
	if b.openings() != 2 {
		t.Errorf("it is opened %d times", b.openings())
	}
}

// A card of each kind, fresh from the factory: made the site's at a desk with the real
// pcscd, claimed, laid down, and paid for by what it proves.
func TestACardOfEachKindIsIssuedAndPaysAtARealReader(t *testing.T) {
	address := pcsctest.StartReal(t)
	s := startSiteWith(t, withKiosks, magazine)
	m, desk := s.machine("5.00"), s.enrolIssuer()
	cards := []struct {
		atr  []byte
		chip virtual.Transmitter
	}{
		{virtual.ATR, virtual.FactoryNTAG(card.UID{0x04, 3, 3, 3, 3, 3, 3}, [card.SignatureSize]byte{})},
		{virtual.ATR, virtual.NewDESFire(card.UID{0x04, 4, 4, 4, 4, 4, 4}, virtual.EV3)},
		{virtual.UltralightATR, virtual.NewUltralight(card.UID{0x04, 5, 5, 5, 5, 5, 5})},
	}
	for _, c := range cards {
		issued := make(chan error, 1)
		go func() {
			issued <- rfidcmd.Program(t.Context(), []string{"card", "personalise", "-state", desk, "-reader", "Virtual*", "-once"})
		}()
		layRealAs(t, address, c.atr, c.chip, func() bool { return len(issued) > 0 })
		if err := <-issued; err != nil {
			t.Fatal(err)
		}
	}
	b, stop := s.startBridge(`{"driver":"pcsc","name":"Virtual*"}`)
	defer stop()
	for i, c := range cards {
		claim := regexp.MustCompile(`claim=([\w-]+)`)
		var found []string
		layRealAs(t, address, c.atr, c.chip, func() bool { found = claim.FindStringSubmatch(b.shows("")); return found != nil })
		m.post("/.paywall/cards/add", map[string]any{"claim": found[1]}).wants(http.StatusOK).says(`"mutual"`)
		layRealAs(t, address, c.atr, c.chip, func() bool {
			return strings.Count(s.operator("kiosk", "list", "--taps"), "captured") == i+1
		})
	}
	m.wantsBalance("4.70")
}
