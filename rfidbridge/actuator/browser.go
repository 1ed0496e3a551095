package actuator

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Sessions is what the paywall tells a kiosk of its browser; see package client.
type Sessions interface {
	Session(ctx context.Context, grant string, over bool) (wire.SessionState, error)
	Leave(ctx context.Context, tap wallet.OpID) error
}

// Browser opens pages of the site in the kiosk's own browser: it has the browser shown a
// code, and waits until the browser has used it. Who comes later than the time of an
// opening finds it worth nothing. A tap ends what the tap before it has opened.
type Browser struct {
	Paywall Sessions
	// Show has the browser shown a code to post; an empty one is none.
	Show func(code string)
	// WhileCard ends what a tap has opened when its card is gone; see Gone.
	WhileCard bool

	telling sync.Mutex

	mu      sync.Mutex
	open    wallet.OpID   // the tap whose pages are open, as far as is known; zero: none
	leaving []wallet.OpID // whose end the paywall has not heard of
}

const (
	askEvery = 300 * time.Millisecond
	lastWord = 2 * time.Second // of an opening's time, to find out how it has ended
)

// Open implements [Actuator].
func (b *Browser) Open(ctx context.Context, o Opening) (Outcome, error) {
	if o.Grant == "" {
		return refused("the kiosk is cut off, and the paywall opens the pages")
	}
	b.leave()
	if err := b.Tell(ctx); err != nil { // before anybody else reads
		return refused("the paywall has not ended what was open: %w", err)
	}
	if state, err := b.Paywall.Session(ctx, o.Grant, false); errors.As(err, new(client.RefusalError)) {
		return refused("the browser: %w", err)
	} else if err == nil && state.Begun {
		return b.opened(o.Tap)
	}
	b.Show(wire.BrowserCode(o.Kiosk, o.Grant))
	defer b.Show("")
	for enough := timeUntil(ctx) - lastWord; enough > 0; enough -= askEvery {
		time.Sleep(askEvery)
		if state, err := b.Paywall.Session(ctx, o.Grant, false); err == nil && state.Begun {
			return b.opened(o.Tap)
		}
	}
	switch state, err := b.Paywall.Session(ctx, o.Grant, true); {
	case err != nil:
		return Unknown, err
	case state.Begun:
		return b.opened(o.Tap)
	}
	return refused("the browser has not come for what was paid for")
}

func timeUntil(ctx context.Context) time.Duration {
	const usual = 20 * time.Second
	if end, limited := ctx.Deadline(); limited {
		return time.Until(end)
	}
	return usual
}

func (b *Browser) opened(tap wallet.OpID) (Outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = tap
	return Done, nil
}

// Reset implements [Resetter]: where cards end what they have opened, all of it ends. Whether
// they still lie there, nobody has watched. The paywall hears of it with Tell.
func (b *Browser) Reset(context.Context) error {
	if b.WhileCard {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.leaving = append(b.leaving, wallet.OpID{})
	}
	return nil
}

// Gone says that the card of the newest tap is gone. The paywall hears of it with Tell.
func (b *Browser) Gone() {
	if b.WhileCard {
		b.leave()
	}
}

func (b *Browser) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open != (wallet.OpID{}) {
		b.leaving = append(b.leaving, b.open)
		b.open = wallet.OpID{}
	}
}

// Tell tells the paywall what has to end. It is called again and again.
func (b *Browser) Tell(ctx context.Context) error {
	b.telling.Lock()
	defer b.telling.Unlock()
	b.mu.Lock()
	leaving := b.leaving
	b.mu.Unlock()
	for _, tap := range leaving {
		if err := b.Paywall.Leave(ctx, tap); err != nil && !errors.As(err, new(client.RefusalError)) {
			return err
		}
		b.mu.Lock()
		b.leaving = b.leaving[1:]
		b.mu.Unlock()
	}
	return nil
}
