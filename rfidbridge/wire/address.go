package wire

import (
	"net/url"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
)

// AtAddress finds a SUN message in an address: picc and cmac of any card of this project, p
// and c of a Bolt Card.
func AtAddress(address string) (shown Card, found bool) {
	const most = 2 << 10
	if len(address) > most {
		return shown, false
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return shown, false
	}
	query := parsed.Query()
	for _, names := range [][2]string{{"picc", "cmac"}, {"p", "c"}} {
		if fill(shown.PICC[:], query.Get(names[0])) && fill(shown.MAC[:], query.Get(names[1])) {
			shown.SUN, shown.Kind = true, card.KindNTAG424
			return shown, true
		}
	}
	return Card{}, false
}
