package reader

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc/pcsctest"
)

// A card that lies on a reader while the program or pcscd is started again does not pay for
// that: it has to be laid down anew.
func TestACardThatHasLainThereDoesNotPayAgain(t *testing.T) {
	const within = 300 * time.Millisecond
	d := pcsctest.Start(t, 5)
	d.Plug(acr)
	d.Insert(acr, lying{ntag()})
	l, ended := make(listener, 100), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		_ = PCSC{Socket: d.Socket()}.Run(ctx, Settling(l, within))
	}()
	t.Cleanup(func() { cancel(); <-ended })
	lies := func(when string) {
		t.Helper()
		if e := l.wants(t, "unread", acr); !errors.Is(e.err, ErrLies) {
			t.Errorf("%s: %v", when, e)
		}
	}
	lies("at the start")
	d.Insert(acr, nil)
	l.wants(t, "gone", acr)
	time.Sleep(within)
	d.Insert(acr, lying{ntag()})
	l.wants(t, "arrived", acr)
	d.Stop()
	l.wants(t, "gone", acr)
	d.Restart()
	lies("once pcscd is back")
}
