package bridge

import (
	"crypto/ed25519"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/offline"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// stand is a kiosk with one reader, which counts the taps that it carries out.
type stand struct {
	*testing.T
	*Bridge
	taps int
	ends tap.Kind
}

func newStand(t *testing.T, window time.Duration) *stand {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own, err := offline.New(offline.Options{
		Path: filepath.Join(t.TempDir(), "offline"), Key: func() ed25519.PrivateKey { return key }, Now: time.Now,
		Since: func() time.Duration { return 0 }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &Bridge{config: Config{Guard: Duration(window)}, log: slog.New(slog.DiscardHandler), offline: own, seats: make(map[string]*seat)}
	return &stand{T: t, Bridge: b, ends: tap.Paid}
}

// lays a card down and takes it away, and reports how often anything was carried out so far.
func (s *stand) lays(shown wire.Card, exchange card.Exchange) int {
	s.present("reader", shown, exchange, wire.Product{Name: "gate"}, func(tap.Presented) tap.Result {
		s.taps++
		return tap.Result{Kind: s.ends}
	})
	s.seat("reader").guard.Leave(time.Now())
	return s.taps
}

func (s *stand) wants(what string, got, want int) {
	s.Helper()
	if got != want {
		s.Errorf("%s: %d taps were carried out, want %d", what, got, want)
	}
}

func number(t *testing.T, last byte) wire.Card {
	t.Helper()
	u, err := uid.New([]byte{4, 1, 2, 3, 4, 5, last})
	if err != nil {
		t.Fatal(err)
	}
	return wire.Card{UID: u}
}

// An impatient tap is the same purchase, with a network or without; another card's is not,
// nor one after a refusal, nor one when the window is over.
func TestAReaderKnowsWhoHasJustPaid(t *testing.T) {
	s := newStand(t, time.Hour)
	s.wants("the first", s.lays(number(t, 1), nil), 1)
	s.wants("impatience", s.lays(number(t, 1), nil), 1)
	s.wants("the second in the queue", s.lays(number(t, 2), nil), 2)
	s.ends = tap.Refused
	s.wants("refused", s.lays(number(t, 3), nil), 3)
	s.wants("and again", s.lays(number(t, 3), nil), 4)
	s = newStand(t, time.Nanosecond)
	s.wants("the first", s.lays(number(t, 1), nil), 1)
	time.Sleep(time.Millisecond)
	s.wants("after the window", s.lays(number(t, 1), nil), 2)
}

// A card that shows another message each time is told by its number; one that draws its
// number anew is left to the paywall.
func TestAReaderTellsACardByItsNumberWhateverItShows(t *testing.T) {
	at := card.UID{4, 1, 2, 3, 4, 5, 6}
	n := virtual.NewNTAG(at, card.Bolt(card.Key{1}, at, 1).Keys, "https://shop.example/?")
	shows := func() (wire.Card, card.Exchange) {
		picc, mac := n.SUN()
		return wire.Card{SUN: true, PICC: picc, MAC: mac}, func(command []byte) ([]byte, error) { return n.Transmit(command), nil }
	}
	s := newStand(t, time.Hour)
	s.wants("the first", s.lays(shows()), 1)
	s.wants("impatience", s.lays(shows()), 1)
	n.HideUID()
	s.wants("nobody knows who", s.lays(shows()), 2)
	s.wants("nor now", s.lays(shows()), 3)
}
