package command

import (
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pn532/pn532test"
)

// Cards are also looked at on a board with a PN532, which needs no pcscd.
func TestACardIsLookedAtOnAPN532(t *testing.T) {
	number := card.UID{4, 1, 2, 3, 4, 5, 6}
	board, path := pn532test.Start(t)
	board.Lay(&pn532test.Card{UID: number[:], Transmit: virtual.NewUltralight(number).Frame})
	if err := Program(t.Context(), []string{"card", "inspect", "-once", "-pn532", path}); err != nil {
		t.Error(err)
	}
	if board.Count(0x4A) == 0 { // InListPassiveTarget
		t.Error("the board was not asked for a card")
	}
}
