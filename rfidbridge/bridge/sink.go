package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/emv"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

var errNoProduct = errors.New("what this kiosk sells is not known yet")

// Arrived implements [reader.Sink].
func (b *Bridge) Arrived(name string, shown wire.Card, exchange card.Exchange) {
	product := b.known()
	if product == nil {
		b.log.Error("a tap is refused", "reader", name, "error", errNoProduct)
		b.screen.Ended(tap.Result{Kind: tap.Offline})
		b.meters.ended(tap.Offline, "")
		return
	}
	b.screen.Checking()
	begun := time.Now()
	r := b.present(name, shown, exchange, *product, func(p tap.Presented) tap.Result {
		if b.config.Screen != "" && !b.config.DisplayOnly {
			p.PIN = b.screen.PIN
		}
		return b.desk.Tap(context.Background(), p, *product, false) // it is brought to its end
	})
	b.screen.Ended(r)
	if r.Kind == tap.Paid {
		b.mu.Lock()
		b.paidAt = name
		b.mu.Unlock()
	}
	b.meters.ended(r.Kind, r.Reason)
	b.log.Info("a tap", "reader", name, "card", fmt.Sprint(shown), "result", r.Kind, "reason", r.Reason, "took", time.Since(begun))
	if r.Reason == wire.PriceChanged {
		b.mu.Lock()
		b.product = &r.Product
		b.mu.Unlock()
	}
}

// Unread implements [reader.Sink].
func (b *Bridge) Unread(name string, why error) {
	switch {
	case errors.Is(why, emv.ErrForged):
		b.screen.Ended(tap.Result{Kind: tap.Refused, Reason: wire.Forged})
		b.meters.ended(tap.Refused, wire.Forged)
	case errors.Is(why, emv.ErrExpired):
		b.screen.Ended(tap.Result{Kind: tap.Refused})
		b.meters.ended(tap.Refused, "")
	default:
		b.screen.Unread()
		b.meters.ended(tap.Unread, "")
	}
	b.log.Warn("a card cannot be read", "reader", name, "error", why)
}

// Gone implements [reader.Sink].
func (b *Bridge) Gone(name string) {
	b.seat(name).guard.Leave(time.Now())
	b.mu.Lock()
	paid := b.paidAt == name
	b.mu.Unlock()
	if paid && b.browser != nil {
		b.browser.Gone()
	}
}

// Health implements [reader.Sink].
func (b *Bridge) Health(name string, fault error) {
	b.mu.Lock()
	before, known := b.readers[name]
	b.readers[name] = fault
	changed := !known || (before == nil) != (fault == nil)
	b.news = b.news || changed
	b.mu.Unlock()
	switch {
	case changed && fault != nil:
		b.log.Error("a reader does not read", "reader", name, "error", fault)
	case changed:
		b.log.Info("a reader is well", "reader", name)
	}
}
