package main_test

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/pcsc/pcsctest"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// striking is a card on a reader that has something happen when it has answered a command of
// a number.
type striking struct {
	*virtual.NTAG

	mu     sync.Mutex
	left   int // commands until then; zero: nothing happens
	strike func()
}

// arm has something happen after as many commands.
func (s *striking) arm(commands int, strike func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left, s.strike = commands, strike
}

func (s *striking) ATR() []byte { return virtual.ATR }

func (s *striking) Transmit(command []byte) []byte {
	answer := s.NTAG.Transmit(command)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left--; s.left == 0 {
		s.strike()
	}
	return answer
}

// issuedCard is a blank card that the paywall has made its own at a desk, and that the holder
// has added to their wallet.
func (w *kioskWorld) issuedCard(daemon *pcsctest.Daemon, reader string) *virtual.NTAG {
	w.Helper()
	n := virtual.FactoryNTAG(card.UID{0x04, 1, 1, 2, 3, 5, 8}, [card.SignatureSize]byte{})
	state := w.TempDir()
	var made struct{ Code string }
	w.operator(&made, "kiosk", "enrol", "maker", "--issuer")
	for _, args := range [][]string{
		{"enrol", "-site", w.url, "-code", made.Code, "-state", state},
		{"card", "personalise", "-once", "-state", state},
	} {
		daemon.Insert(reader, &striking{NTAG: n})
		made := exec.Command(w.rfidbridge, args...)
		made.Env = append(os.Environ(), "PCSCLITE_CSOCK_NAME="+w.pcscd)
		if out, err := made.CombinedOutput(); err != nil {
			w.Fatalf("%v: %v\n%s", args, err, out)
		}
		daemon.Insert(reader, nil)
	}
	picc, mac := n.SUN()
	w.claim("shelf", wire.Card{SUN: true, PICC: picc, MAC: mac})
	return n
}

// The kiosk's program is killed after each command to a card, while it reads it and while the
// card proves itself: nobody has paid, and the card pays once when it is laid down anew.
func TestAKioskMayBeKilledWhileACardProvesItself(t *testing.T) {
	t.Parallel()
	w := newKioskWorld(t, shortHold)
	w.killKiosk()
	daemon := pcsctest.Start(t, 5)
	const reader = "ACS ACR1252 PICC 00 00"
	daemon.Plug(reader)
	w.pcscd = daemon.Socket()
	lies, commands := &striking{NTAG: w.issuedCard(daemon, reader)}, 0
	for struck := true; struck; commands++ {
		w.startKiosk()
		w.waitForReader(commands + 1)
		hit := make(chan struct{})
		lies.arm(commands+1, func() { w.killKiosk(); close(hit) })
		daemon.Insert(reader, lies)
		if struck = w.strikesOrOpens(hit); struck && len(w.opened()) > 0 {
			t.Errorf("killed after command %d, it has opened", commands+1)
		}
		daemon.Insert(reader, nil)
	}
	if commands < 7 {
		t.Errorf("a card is sent %d commands: too few to prove anything", commands-1)
	}
	w.waitUntilCaptured()
	w.proveGrants()
	w.proveMoney(gatePrice)
}

// waitForReader waits until the kiosk's program watches its reader, for the n-th time.
func (w *kioskWorld) waitForReader(n int) {
	w.Helper()
	w.waitUntil("the reader is watched", func() bool { return strings.Count(w.said.String(), `msg="a reader is well" reader="ACS`) >= n })
}

func (w *kioskWorld) waitUntilCaptured() {
	w.Helper()
	w.waitUntil("the money is taken", func() bool {
		all := w.journal()
		return len(all) > 0 && all[len(all)-1].Outcome == "captured"
	})
}

// strikesOrOpens waits until the kiosk is killed, or the gate has opened.
func (w *kioskWorld) strikesOrOpens(hit <-chan struct{}) (struck bool) {
	w.Helper()
	w.waitUntil("the card has been tapped", func() bool {
		select {
		case <-hit:
			struck = true
		default:
		}
		return struck || len(w.opened()) > 0
	})
	return struck
}

func (w *kioskWorld) waitUntil(what string, is func() bool) {
	w.Helper()
	for deadline := time.Now().Add(startTimeout); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("it never comes to that: %s", what)
		}
	}
}
