//go:build root && linux

package reader

import (
	"context"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc/pcsctest"
)

// The installed pcscd, with a virtual card on a virtual reader.
func TestARealPcscdTellsOfCards(t *testing.T) {
	address := pcsctest.StartReal(t)
	l := listen(t, PCSC{Names: "Virtual*"})
	l.wants(t, "well", pcsctest.RealReader)
	n, last := ntag(), uint32(0)
	for range 3 {
		ctx, remove := context.WithCancel(t.Context())
		lying := make(chan error, 1)
		go func() { lying <- virtual.Lie(ctx, address, virtual.ATR, n, pcsctest.Hurry) }()
		counter := genuine(t, l.wants(t, "arrived", pcsctest.RealReader).shown)
		if counter <= last {
			t.Errorf("message %d after %d", counter, last)
		}
		last = counter
		l.silent(t, 500*time.Millisecond) // it looks every 400 ms
		remove()
		if err := <-lying; err != nil {
			t.Error(err)
		}
		l.wants(t, "gone", pcsctest.RealReader)
	}
}
