package caddymodule

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pn532/pn532test"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial/serialtest"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// A kiosk of two boards on serial lines, a PN532 and a relay: a card that signs pays ten
// cents and the relay is switched on and off; when the relay has been unplugged, the money
// goes back.
func TestAKioskOfSerialBoardsOpensARelay(t *testing.T) {
	s := startSiteWith(t, withKiosks, magazine)
	m := s.machine("5.00")
	mine, too := s.ntag(card.UID{0x04, 6, 6, 6, 6, 6, 6}), s.ntag(card.UID{0x04, 7, 7, 7, 7, 7, 7})
	for _, c := range []*virtual.NTAG{mine, too} {
		picc, mac := c.SUN()
		s.claims(m, wire.Card{SUN: true, PICC: picc, MAC: mac})
	}
	board, boardLine := pn532test.Start(t)
	relay, relayLine := serialtest.Open(t)
	b, stop := s.startBridge(fmt.Sprintf(`{"driver":"pn532","path":%q}`, boardLine))
	stop()
	text := fmt.Sprintf(`{"product":"gate","settle":"1ms","screen":%q,"readers":[{"driver":"pn532","path":%q}],
		"actuator":{"relay":{"path":%q,"channel":1,"pulse":"50ms"}}}`, b.screen, boardLine, relayLine)
	b.must(os.WriteFile(filepath.Join(b.state, "kiosk.json"), []byte(text), 0o600))
	defer b.run()()
	heard := func(want string) {
		t.Helper()
		said := make([]byte, len(want))
		b.must(relay.SetReadDeadline(time.Now().Add(10 * time.Second)))
		if _, err := io.ReadFull(relay, said); err != nil || string(said) != want {
			t.Fatalf("the relay is told %x, %v, want %x", said, err, want)
		}
	}
	tap := func(c *virtual.NTAG, outcome string) {
		t.Helper()
		number := c.UID()
		so := func() int { return strings.Count(s.operator("kiosk", "list", "--taps"), outcome) }
		before := so()
		board.Lay(&pn532test.Card{UID: number[:], SAK: 0x20, Transmit: c.Transmit})
		eventually(t, "the tap is "+outcome, func() bool { return so() > before })
		board.Lay(nil)
	}
	const on, off = "\xa0\x01\x01\xa2", "\xa0\x01\x00\xa1"
	heard(off) // at the start
	b.shows("Tap your card")
	tap(mine, "captured")
	heard(on + off)
	m.wantsBalance("4.90")
	relay.Close()
	tap(too, "released")
	m.wantsBalance("4.90")
}
