package bridge

import (
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/guard"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// seat is one reader: who lies there, and what came of the newest tap.
type seat struct {
	guard guard.Guard
	last  tap.Result
}

func (b *Bridge) seat(name string) *seat {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, there := b.seats[name]
	if !there {
		s = &seat{guard: guard.Guard{Window: time.Duration(b.config.Guard)}}
		b.seats[name] = s
	}
	return s
}

// present has a card tap, unless it is the same purchase as before: then what came of that is
// shown again, and nothing is paid, whether the paywall answers or not. A card that cannot be
// told from others is left to the paywall's own guard.
func (b *Bridge) present(name string, shown wire.Card, exchange card.Exchange, product wire.Product, carryOut func(tap.Presented) tap.Result) tap.Result {
	p := tap.Presented{Card: shown, Exchange: exchange}
	id, told := b.offline.Identify(shown, exchange)
	if !told {
		return carryOut(p)
	}
	p.ID = id
	s := b.seat(name)
	s.guard.Arrive()
	switch v, _ := s.guard.Judge(guard.Subject(id), product.Name, false, time.Now()); v {
	case guard.Again:
		b.log.Info("the same purchase as before", "reader", name)
		return s.last
	case guard.TwoCards:
		return tap.Result{Kind: tap.Unread, Product: product}
	}
	s.last = carryOut(p)
	s.guard.Ended(guard.Subject(id), product.Name, "", s.last.Kind == tap.Paid)
	return s.last
}
