// Package reader watches for cards, whatever reader they are laid on.
//
// It promises that a card is told of once for each time that it is laid down, that one which
// lies there is told of again only when it has gone, that what a card has shown was read in
// one go with nobody else talking to it, and that a reader which is unplugged, or whose
// daemon is restarted, is watched again by itself. It does not know whose a card is.
package reader

import (
	"context"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Sink hears what happens at readers. It may be called by several drivers at once, and for
// one reader in order.
type Sink interface {
	// Arrived tells of a card and what it has shown. exchange reaches it until Arrived
	// returns, with nobody else talking to it, and is nil where the reader can carry no
	// commands.
	Arrived(reader string, shown wire.Card, exchange card.Exchange)
	// Unread tells of a card that has shown nothing: torn away too early, or of no kind
	// that is known.
	Unread(reader string, why error)
	// Gone tells that no card lies there any more. Readers that cannot tell never say so.
	Gone(reader string)
	// Health tells how a reader is; nil: well.
	Health(reader string, fault error)
}

// Driver watches readers of one kind.
type Driver interface {
	// Run watches until ctx ends, through everything that can be mended, and returns why
	// it cannot go on.
	Run(ctx context.Context, sink Sink) error
}

// Pauses between tries to reach a reader that is not there.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// again calls watch again and again until ctx ends. One that has lasted begins with short
// pauses anew.
func again(ctx context.Context, sink Sink, name string, watch func(ctx context.Context) error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		begun := time.Now()
		err := watch(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		sink.Health(name, err)
		if time.Since(begun) > lastPause {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
