package reader

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/emv"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc"
)

// PCSC watches the smart card readers of pcscd: all whose names match, also those that are
// plugged in later.
type PCSC struct {
	Socket string // of pcscd; default: the usual one
	Names  string // a pattern such as "ACS ACR1252*"; default: all

	BankCards *emv.Terminal // nil: a bank card is one by its number
	Chips     bool          // cards are told of by their number and chip, for whoever issues them

	Agreed func(minor uint32)       // told of the protocol's minor with each connection; or nil
	Took   func(took time.Duration) // told how long a card that was read has taken; or nil
}

// Run implements [Driver].
func (d PCSC) Run(ctx context.Context, sink Sink) error {
	if _, err := path.Match(d.pattern(), ""); err != nil {
		return fmt.Errorf("the pattern of readers' names: %w", err)
	}
	return again(ctx, sink, "pcscd", func(ctx context.Context) error { return d.watch(ctx, sink) })
}

func (d PCSC) pattern() string {
	if d.Names == "" {
		return "*"
	}
	return d.Names
}

// seen is what is known of a reader.
type seen struct {
	events  uint32
	present bool
}

// storageCard is how the ATR of a card without commands of its own begins, which the reader
// plays the commands for (PC/SC part 3, 3.1.3.2.3.2). What it is follows.
var storageCard = []byte{0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06}

// watch follows pcscd's readers until the daemon is gone.
func (d PCSC) watch(ctx context.Context, sink Sink) error {
	watching, err := pcsc.Open(ctx, pcsc.Options{Socket: d.Socket})
	if err != nil {
		return err
	}
	defer watching.Close()
	talking, err := pcsc.Open(ctx, pcsc.Options{Socket: d.Socket})
	if err != nil {
		return err
	}
	defer talking.Close()
	if d.Agreed != nil {
		d.Agreed(watching.Minor())
	}
	sink.Health("pcscd", nil)
	known := make(map[string]seen)
	err = watching.Watch(ctx, func(readers []pcsc.Reader) { d.compare(sink, talking, known, readers) })
	for name, was := range known { // their cards may be other ones when the daemon is back
		if was.present {
			sink.Gone(name)
		}
		sink.Health(name, err)
	}
	return err
}

// compare tells what has changed.
func (d PCSC) compare(sink Sink, talking *pcsc.Client, known map[string]seen, readers []pcsc.Reader) {
	there := make(map[string]bool, len(readers))
	for i := range readers {
		r := &readers[i]
		if matched, _ := path.Match(d.pattern(), r.Name); !matched {
			continue
		}
		there[r.Name] = true
		was, before := known[r.Name]
		now := seen{r.Events, r.Present()}
		known[r.Name] = now
		if !before {
			sink.Health(r.Name, nil)
		}
		if was.present && (!now.present || now.events != was.events) {
			sink.Gone(r.Name)
		}
		if now.present && (!was.present || now.events != was.events) {
			d.read(sink, talking, r)
		}
	}
	for name, was := range known {
		if there[name] {
			continue
		}
		delete(known, name)
		if was.present {
			sink.Gone(name)
		}
		sink.Health(name, errUnplugged)
	}
}

var errUnplugged = fmt.Errorf("unplugged: %w", pcsc.ErrReaderUnavailable)

// read finds out what the card in a reader shows, and holds it for itself until the tap has
// come to its end: whoever has tapped may take it away before.
func (d PCSC) read(sink Sink, talking *pcsc.Client, r *pcsc.Reader) {
	begun := time.Now()
	held, err := talking.Connect(r.Name)
	if err != nil {
		sink.Unread(r.Name, err)
		return
	}
	defer held.Close() // it may be gone by now
	how := reading{bank: d.BankCards, chips: d.Chips, took: d.Took}
	how.tell(sink, r.Name, laid{exchange: held.Transmit, storage: bytes.HasPrefix(r.ATR, storageCard), since: begun})
}
