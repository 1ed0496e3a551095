package reader

import (
	"errors"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/issue"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// readChip finds out which chip a card has, whatever it shows, and how it is talked to. A
// card of no kind that can be issued has none.
func readChip(to card.Exchange, storage bool) (shown wire.Card, exchange card.Exchange, err error) {
	answer, err := ask(to, getUID)
	if err != nil {
		return shown, to, err
	}
	if shown.UID, err = uid.New(answer); err != nil {
		return shown, to, err
	}
	exchange = to
	if storage {
		exchange = through(to)
	}
	shown.Kind, err = issue.Identify(storage, exchange)
	if errors.Is(err, issue.ErrKind) || storage && (errors.Is(err, errStatus) || errors.Is(err, errThrough)) {
		return wire.Card{UID: shown.UID}, to, nil
	}
	return shown, exchange, err
}
