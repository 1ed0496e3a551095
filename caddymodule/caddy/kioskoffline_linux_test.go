package main_test

import (
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The network is down, and the kiosk goes on for a card that money was set aside for. It is
// killed at every step of such a tap: what has opened is paid when the network is back, once,
// and what has not is not.
func TestAKioskMayBeKilledAtAnyStepOfAnOfflineTap(t *testing.T) {
	t.Parallel()
	w := newKioskWorld(t, longHold, "offline {", "lease 2.00 12h", "proof uid", "}")
	w.dies = true
	paid := wallet.Amount(0)
	for _, s := range []struct {
		at    place
		keeps bool // the kiosk takes the money where nobody knows whether the gate has opened
		opens int
		pays  bool
	}{
		{at: opening},
		{at: opened, opens: 1}, // the kiosk cannot know: capture_unknown says whose loss it is
		{at: opening, keeps: true, pays: true},
		{at: opened, keeps: true, opens: 1, pays: true},
		{at: handing, opens: 1, pays: true},
		{at: handed, opens: 1, pays: true},
	} {
		w.keep(s.keeps)
		w.lend()
		paid += gatePrice
		before := len(w.opened())
		w.network.cut()
		hit := w.arm(s.at, w.killKiosk)
		tap := w.tapCard()
		if s.at == handing || s.at == handed {
			w.waitUntilOpened(before + 1)
			w.network.mend()
			w.waitFor(s.at, hit)
		} else {
			w.waitFor(s.at, hit)
			w.network.mend()
		}
		w.startKiosk()
		if ends := w.waitUntilDone(tap); ends != "handed over" {
			t.Errorf("%s: the tap is %s", s.at, ends)
		}
		if opens := len(w.opened()) - before; opens != s.opens {
			t.Errorf("%s (capture_unknown %t): the gate opens %d times, want %d", s.at, s.keeps, opens, s.opens)
		}
		if s.pays {
			paid += gatePrice
		}
		if site := w.site(); site != paid {
			t.Fatalf("%s (capture_unknown %t): the site has %v, want %v", s.at, s.keeps, site, paid)
		}
	}
	w.proveGrants()
}

// site is what the site has got, by the paywall's books.
func (w *kioskWorld) site() wallet.Amount {
	w.Helper()
	return w.holder.amount(w.verify().Site)
}

// lend has the card pay online, and waits until the kiosk has heard what it may pay offline
// then: what was lent before has gone back with what was handed over.
func (w *kioskWorld) lend() {
	w.Helper()
	before := w.network.leases.Load()
	w.waitUntilDone(w.tapCard())
	for deadline := time.Now().Add(startTimeout); w.network.leases.Load() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatal("the kiosk has not asked for a lease")
		}
	}
}

func (w *kioskWorld) waitUntilOpened(times int) {
	w.Helper()
	for deadline := time.Now().Add(startTimeout); len(w.opened()) < times; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatal("the gate does not open")
		}
	}
}
