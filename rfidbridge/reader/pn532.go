package reader

import (
	"bytes"
	"context"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/emv"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pn532"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/serial"
)

// PN532 watches a board with a chip of that name on a serial line (HSU, 115200 baud).
type PN532 struct {
	Name string
	Path string // of the line

	BankCards *emv.Terminal            // these are as in PCSC
	Chips     bool                     //
	Took      func(took time.Duration) //
}

const (
	pn532Baud = 115200
	lookEvery = 30 * time.Millisecond // the board does not tell by itself
	looks     = 2                     // without a card, until one that lay there has gone
)

// Run implements [Driver].
func (d PN532) Run(ctx context.Context, sink Sink) error {
	return again(ctx, sink, d.Name, func(ctx context.Context) error { return d.watch(ctx, sink) })
}

// watch looks for cards until the line fails.
func (d PN532) watch(ctx context.Context, sink Sink) error {
	port, err := serial.Open(d.Path, pn532Baud)
	if err != nil {
		return err
	}
	defer port.Close()
	board, err := pn532.Open(port)
	if err != nil {
		return err
	}
	sink.Health(d.Name, nil)
	how := reading{bank: d.BankCards, chips: d.Chips, took: d.Took}
	var here *pn532.Target
	defer func() {
		if here != nil {
			sink.Gone(d.Name)
		}
	}()
	for {
		begun := time.Now()
		found, err := look(board, here)
		if err != nil {
			return err
		}
		if here != nil && !isSame(here, found) {
			here = nil
			sink.Gone(d.Name)
		}
		if arrived := here == nil && found != nil; arrived {
			how.tell(sink, d.Name, laid{exchange: playReader(board, found), storage: !found.Commands(), since: begun})
		}
		here = found
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// look finds the card that lies there; nil: none. One that takes commands is asked whether
// it is there still, which leaves it as it is: found anew it may have another number.
func look(board *pn532.Device, here *pn532.Target) (found *pn532.Target, err error) {
	if here == nil {
		return board.Find()
	}
	for range looks {
		if here.Commands() {
			if there, err := board.Present(); there || err != nil {
				return here, err
			}
		}
		if found, err = board.Find(); found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

func isSame(a, b *pn532.Target) bool { return b != nil && a.SAK == b.SAK && bytes.Equal(a.UID, b.UID) }
