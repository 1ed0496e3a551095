package kiosk

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// cutoff is a kiosk that grants by itself what it is told to, within its bounds or not.
type cutoff struct {
	*machine
	head   wire.Head
	unsent []wire.Signed
}

// offlineShop has leases of 5.00 and lets a card pay 3.00 in two taps without.
func offlineShop(t *testing.T) (*shop, *cutoff) {
	s := open(t)
	s.Offline = &Offline{
		Lease: 5 * wallet.Unit, LeaseFor: 12 * time.Hour, Age: 12 * time.Hour, Denied: 24 * time.Hour,
		Risk: Risk{Tap: 2 * wallet.Unit, Card: 3 * wallet.Unit, Taps: 2, Total: 100 * wallet.Unit, Count: 100},
	}
	return s, &cutoff{machine: s.enrol("machine")}
}

func (m *cutoff) kiosk() Kiosk {
	return Kiosk{Name: m.name, Key: m.key.Public().(ed25519.PublicKey)}
}

// admits has a card tap online, and asks for a lease.
func (m *cutoff) admits(shown wire.Card) wire.Lease {
	m.Helper()
	v := m.wants(m.tap("gate", shown), wire.Granted, "")
	m.resolve(wire.ReleasePath, v, Released)
	l, err := m.Lease(m.Context(), m.kiosk(), wire.LeaseRequest{Ticket: v.Ticket})
	if err != nil {
		m.Fatal(err)
	}
	return l
}

// grants writes a record of a tap.
func (m *cutoff) grants(handle string, on wallet.OpID, price string) wire.Record {
	m.Helper()
	return m.writes(wire.Record{Tap: ledgertest.NewID(m, m.clock.Now), Price: price, Handle: handle, Lease: on})
}

func (m *cutoff) writes(r wire.Record) wire.Record {
	m.Helper()
	r.Product, r.Time, r.Seq, r.Previous = "coffee", m.clock.Now().UnixMilli(), m.head.Seq+1, m.head.Hash
	signed, err := r.Sign(m.key)
	if err != nil {
		m.Fatal(err)
	}
	m.head, m.unsent = signed.Head(r), append(m.unsent, signed)
	return r
}

// syncs hands over what was not sent yet, and checks what became of it.
func (m *cutoff) syncs(want ...wire.Outcome) {
	m.Helper()
	got, err := m.Sync(m.Context(), m.kiosk(), wire.Sync{Records: m.unsent})
	if err != nil || fmt.Sprint(got.Outcomes) != fmt.Sprint(want) || !got.Head.Is(m.head) {
		m.Errorf("the records are %v, %v, want %v", got.Outcomes, err, want)
	}
}

// opens lets a card pay offline.
func (h *holder) opens(one Card) {
	h.Helper()
	if _, err := h.ChangeCard(context.Background(), h.id, one.ID, func(one *Card) error { one.Offline = true; return nil }); err != nil {
		h.Fatal(err)
	}
}

// signing is a card of a holder that proves itself and may pay offline.
func (h *holder) signing(m *cutoff, last byte) *virtual.NTAG {
	h.Helper()
	n := h.ntag(last)
	h.opens(h.claims(m.machine, message(n)))
	return n
}

func (s *shop) flags(k Kiosk) string {
	s.Helper()
	ch, err := s.chain(s.Context(), k)
	if err != nil {
		s.Fatal(err)
	}
	return fmt.Sprint(ch.Flags)
}
