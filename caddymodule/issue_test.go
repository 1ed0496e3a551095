package caddymodule

import (
	"context"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	rfidcmd "github.com/caddy-paywall/caddy-paywall/rfidbridge/command"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc/pcsctest"
	cardreader "github.com/caddy-paywall/caddy-paywall/rfidbridge/reader"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

const deskReader = "ACS ACR1252 PICC 00 00"

// enrolIssuer makes a state directory a kiosk's that may issue cards.
func (s *site) enrolIssuer() (state string) {
	s.Helper()
	var made kioskCode
	s.decode([]byte(s.operator("kiosk", "enrol", "issuer", "--issuer", "--json")), &made)
	state = s.TempDir()
	if err := rfidcmd.Program(s.Context(), []string{"enrol", "-site", s.url, "-code", made.Code, "-state", state}); err != nil {
		s.Fatal(err)
	}
	return state
}

// laid is a virtual card on a reader of the daemon for tests.
type laid struct{ virtual.Transmitter }

func (laid) ATR() []byte { return virtual.ATR }

// first is a sink that waits for one card.
type first struct {
	cardreader.Sink
	shown wire.Card
	stop  func()
}

func (f *first) Arrived(_ string, shown wire.Card, _ card.Exchange) { f.shown = shown; f.stop() }
func (*first) Gone(string)                                          {}
func (*first) Health(string, error)                                 {}

// readAt reads what the card on a reader shows, as a kiosk does.
func (s *site) readAt(d *pcsctest.Daemon) wire.Card {
	s.Helper()
	ctx, stop := context.WithCancel(s.Context())
	defer stop()
	f := &first{stop: stop}
	_ = cardreader.PCSC{Socket: d.Socket()}.Run(ctx, f)
	return f.shown
}

// A blank card is made the site's at a desk, claimed, tapped, and paid with by the message
// that it signs; then it is blank again. A kiosk that is no desk does not get that far.
func TestABlankCardIsIssuedClaimedAndPaysByItsMessage(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	d := pcsctest.Start(t, 6)
	d.Plug(deskReader)
	number := card.UID{0x04, 6, 6, 6, 6, 6, 6}
	n := virtual.FactoryNTAG(number, [card.SignatureSize]byte{})
	issues := func(task, state string) error {
		t.Helper()
		n.Reset()
		d.Insert(deskReader, laid{n})
		defer d.Insert(deskReader, nil)
		return rfidcmd.Program(t.Context(), []string{"card", task, "-state", state, "-socket", d.Socket(), "-once"})
	}
	lobby := t.TempDir()
	if err := rfidcmd.Program(t.Context(), []string{"enrol", "-site", s.url, "-code", s.enrolmentCode("lobby"), "-state", lobby}); err != nil {
		t.Fatal(err)
	}
	if err := issues("personalise", lobby); err == nil || !strings.Contains(err.Error(), "--issuer") {
		t.Errorf("a kiosk that may not issue cards: %v", err)
	}
	desk := s.enrolIssuer()
	if err := issues("personalise", desk); err != nil {
		t.Fatal(err)
	}
	tap := func() wire.Card {
		t.Helper()
		d.Insert(deskReader, laid{n})
		defer d.Insert(deskReader, nil)
		return s.readAt(d)
	}
	m, k := s.machine("5.00"), s.enrolKiosk("gate")
	s.claims(m, tap())
	v, err := k.Tap(t.Context(), newTap(t, "coffee", "1.20", tap()))
	if err != nil || v.Outcome != wire.Granted {
		t.Fatalf("the tap is %+v, %v", v, err)
	}
	if _, err := k.Capture(t.Context(), v.Grant); err != nil {
		t.Fatal(err)
	}
	m.wantsBalance("3.80")
	if err := issues("reset", desk); err == nil || !strings.Contains(err.Error(), "belongs to a wallet") {
		t.Errorf("making a customer's card blank: %v", err)
	}
	var cards cardsJSON
	s.decode([]byte(m.get("/.paywall/cards").body), &cards)
	m.post("/.paywall/cards/remove", map[string]any{"card": cards.Cards[0].Card})
	if err := issues("reset", desk); err != nil {
		t.Error(err)
	}
	if shown := tap(); shown.SUN || shown.UID.Bytes() == nil || n.Failures() > 0 {
		t.Errorf("blank again it shows %v, and counts %d wrong tries", shown, n.Failures())
	}
	list := s.operator("kiosk", "list", "--taps")
	for _, want := range []string{"issuer (issues cards)", "personalise done", "reset done"} {
		if !strings.Contains(list, want) {
			t.Errorf("the operator's list does not say %q:\n%s", want, list)
		}
	}
}
