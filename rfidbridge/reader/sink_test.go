package reader

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// event is something that a driver has told.
type event struct {
	what   string // arrived, unread, gone, well, ill
	reader string
	shown  wire.Card
	err    error
}

func (e event) String() string {
	return fmt.Sprintf("%s %s (%v, %v)", e.what, e.reader, e.shown, e.err)
}

// listener is a sink of a test.
type listener chan event

func (l listener) Unread(reader string, why error) { l <- event{"unread", reader, wire.Card{}, why} }
func (l listener) Gone(reader string)              { l <- event{"gone", reader, wire.Card{}, nil} }

func (l listener) Arrived(reader string, shown wire.Card, _ card.Exchange) {
	l <- event{"arrived", reader, shown, nil}
}

func (l listener) Health(reader string, fault error) {
	if fault == nil {
		l <- event{"well", reader, wire.Card{}, nil}
	} else {
		l <- event{"ill", reader, wire.Card{}, fault}
	}
}

// listen runs a driver until the test ends.
func listen(t *testing.T, d Driver) listener {
	t.Helper()
	l := make(listener, 100)
	run(t, d, l)
	return l
}

func run(t *testing.T, d Driver, sink Sink) {
	t.Helper()
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		_ = d.Run(ctx, sink)
	}()
	t.Cleanup(func() { cancel(); <-ended })
}

// wantsCard waits for whatever is told next of a card.
func (l listener) wantsCard(t *testing.T) event {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case e := <-l:
			if e.what != "well" && e.what != "ill" {
				return e
			}
		case <-deadline:
			t.Fatal("it tells of no card")
		}
	}
}

// wants waits for an event, and lets those about health pass.
func (l listener) wants(t *testing.T, what, reader string) event {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case e := <-l:
			if e.what == what && (reader == "" || e.reader == reader) {
				return e
			}
			if e.what == "well" || e.what == "ill" {
				continue
			}
			t.Fatalf("it tells %v, want %s %s", e, what, reader)
		case <-deadline:
			t.Fatalf("it does not tell of %s %s", what, reader)
		}
	}
}

// silent checks that nothing of cards is told for a while.
func (l listener) silent(t *testing.T, d time.Duration) {
	t.Helper()
	for deadline := time.After(d); ; {
		select {
		case e := <-l:
			if e.what != "well" && e.what != "ill" {
				t.Errorf("it tells %v", e)
			}
		case <-deadline:
			return
		}
	}
}

func number(t *testing.T, b ...byte) uid.UID {
	t.Helper()
	u, err := uid.New(b)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
