package main_test

import (
	"slices"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// place is an instant of a tap, between two steps.
type place string

const (
	asked     place = "the kiosk has asked, and the paywall has not heard it"
	judged    place = "the paywall has judged, and the kiosk has not heard it"
	opening   place = "the gate is about to open"
	opened    place = "the gate has opened, and the kiosk does not know"
	capturing place = "the kiosk takes the money, and the paywall has not heard it"
	captured  place = "the money is taken, and the kiosk does not know"
	releasing place = "the gate has refused, and the paywall has not heard it"
	released  place = "the money is given back, and the kiosk does not know"
	handing   place = "the kiosk hands over what it has granted by itself, and the paywall has not heard it"
	handed    place = "the paywall has settled that, and the kiosk does not know"
	settled   place = "all is said"
)

// story is what happens to a tap.
type story struct {
	at    place
	keeps bool // the kiosk takes the money where nobody knows whether the gate has opened

	opens int    // what has to come of it: how often the gate opens,
	ends  string // and how the tap ends for the paywall, by the kiosk's journal
}

// undisturbed is what has to come of taps whose end anybody can wait for.
var undisturbed = []story{
	{at: asked, opens: 1, ends: "captured"},
	{at: judged, opens: 1, ends: "captured"},
	{at: opening, opens: 1, ends: "captured"},
	{at: opened, opens: 1, ends: "captured"},
	{at: capturing, opens: 1, ends: "captured"},
	{at: captured, opens: 1, ends: "captured"},
	{at: releasing, opens: 0, ends: "released"},
	{at: released, opens: 0, ends: "released"},
}

// The kiosk's program is killed at every step of a tap. Whoever has paid has what they have
// paid for, and what nobody can know goes as the operator has decided.
func TestAKioskMayBeKilledAtAnyStepOfATap(t *testing.T) {
	t.Parallel()
	w := newKioskWorld(t, shortHold)
	w.dies = true
	w.run(w.killKiosk, w.startKiosk, []story{
		{at: judged, opens: 0, ends: "interrupted"}, // what was set aside goes back by itself
		{at: asked, opens: 0, ends: "interrupted"},
		{at: opening, opens: 0, ends: "released"},
		{at: opened, opens: 1, ends: "released"}, // the kiosk cannot know: capture_unknown says whose loss it is
		{at: opening, keeps: true, opens: 0, ends: "captured"},
		{at: opened, keeps: true, opens: 1, ends: "captured"},
		{at: capturing, opens: 1, ends: "captured"},
		{at: captured, opens: 1, ends: "captured"},
		{at: releasing, opens: 0, ends: "released"},
		{at: released, opens: 0, ends: "released"},
		{at: settled, opens: 1, ends: "captured"},
	})
}

// The paywall is killed at every step of a tap: the kiosk waits for it, and what has come of
// the tap is the same.
func TestThePaywallMayBeKilledAtAnyStepOfATap(t *testing.T) {
	t.Parallel()
	w := newKioskWorld(t, longHold)
	w.run(w.kill, w.start, undisturbed)
}

// The network is cut at every step of a tap, until the kiosk has asked in vain.
func TestTheNetworkMayBeCutAtAnyStepOfATap(t *testing.T) {
	t.Parallel()
	w := newKioskWorld(t, longHold)
	w.run(w.network.cut, w.network.mend, undisturbed)
}

const gatePrice = wallet.Unit / 10

// run tells stories one after another, and compares what has come of them: first in the
// kiosk's journal and at its gate, and at last in the paywall's books.
func (w *kioskWorld) run(strike, restore func(), stories []story) {
	w.Helper()
	paid := wallet.Amount(0)
	for _, s := range stories {
		w.keep(s.keeps)
		w.refuses.Store(s.at == releasing || s.at == released)
		before := len(w.opened())
		hit := w.arm(s.at, strike)
		tap := w.tapCard()
		if s.at == settled {
			w.waitUntilDone(tap)
			w.struck(settled)
		}
		w.waitFor(s.at, hit)
		restore()
		ends := w.waitUntilDone(tap)
		if opens := len(w.opened()) - before; opens != s.opens || ends != s.ends {
			w.Errorf("%s (capture_unknown %t): the gate opens %d times, want %d; the tap is %s, want %s", s.at, s.keeps, opens, s.opens, ends, s.ends)
		}
		if ends == "captured" {
			paid += gatePrice
		}
	}
	w.proveGrants()
	w.proveMoney(paid)
}

func (w *kioskWorld) waitFor(at place, hit <-chan struct{}) {
	w.Helper()
	select {
	case <-hit:
	case <-time.After(startTimeout):
		w.Fatalf("%s: it never comes to that", at)
	}
}

// proveGrants wants a grant on the kiosk's disk for everything that was opened, and nothing
// opened twice.
func (w *kioskWorld) proveGrants() {
	w.Helper()
	var granted []string
	for _, e := range w.journal() {
		if e.Step == "granted" {
			granted = append(granted, e.Tap)
		}
	}
	all := w.opened()
	for i, tap := range all {
		if !slices.Contains(granted, tap) || slices.Contains(all[:i], tap) {
			w.Errorf("tap %s has opened the gate, and was not granted or had opened it before", tap)
		}
	}
}

// proveMoney wants the site to have what was captured, and all else to be back in the
// wallet, when the last hold is over (invariants 1 and 7).
func (w *kioskWorld) proveMoney(paid wallet.Amount) {
	w.Helper()
	site, left := w.holder.amount(w.verify().Site), wallet.Amount(0)
	for deadline := time.Now().Add(longHold + startTimeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if left = w.holder.balance(); left == cardMoney-paid {
			break
		}
	}
	if site != paid || left != cardMoney-paid {
		w.Errorf("invariant 1: %v were captured; the site has %v, and %v of %v are left", paid, site, left, cardMoney)
	}
	w.verify()
}
