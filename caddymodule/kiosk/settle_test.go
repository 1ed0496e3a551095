package kiosk

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// The attack: a kiosk claims more than its lease and its bounds allow, more than the product
// costs, or for a card that it has never seen. The holder pays what was allowed, and the
// operator hears of it.
func TestAKioskThatClaimsTooMuchGetsWhatWasAllowed(t *testing.T) {
	s, m := offlineShop(t)
	s.Products["coffee"] = Product{Price: 2 * wallet.Unit}
	h := s.holder(50 * wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	for range 3 {
		m.grants(l.Handle, l.ID, "2.00")
	}
	m.syncs(wire.Settled, wire.Settled, wire.Lost)
	h.has(45*wallet.Unit, 0)
	m.unsent = nil
	m.grants(l.Handle, wallet.OpID{}, "9.00")
	m.grants(l.Handle, wallet.OpID{}, "2.00")
	m.grants(l.Handle, wallet.OpID{}, "2.00")
	m.grants(strings.Repeat("0", wire.HandleSize), wallet.OpID{}, "2.00")
	m.grants(l.Handle, wallet.OpID{}, "-1")
	m.syncs(wire.Settled, wire.Lost, wire.Lost, wire.Lost, wire.Lost)
	h.has(42*wallet.Unit, 0)
	for _, want := range []string{"costs less", "more than its lease", "never admitted", "does not read"} {
		if flags := s.flags(m.kiosk()); !strings.Contains(flags, want) {
			t.Errorf("the operator does not hear of %q: %s", want, flags)
		}
	}
}

// The race that matters: the paywall has granted a tap, its answer was lost, and the kiosk
// has granted it by itself and opened. It is paid once, also where the paywall gets round to
// the tap after it has heard of the record.
func TestATapThatBothHaveGrantedIsPaidOnce(t *testing.T) {
	for name, late := range map[string]bool{"granted before": false, "granted after": true} {
		s, m := offlineShop(t)
		h := s.holder(2 * wallet.Unit)
		n := h.signing(m, 1)
		s.Offline.Lease = 0
		l := m.admits(message(n))
		tap := m.newTap("coffee", message(n))
		if !late {
			m.wants(m.send(tap), wire.Granted, "")
			h.has(wallet.Unit, wallet.Unit)
		}
		m.writes(wire.Record{Tap: tap.ID, Price: "1.00", Handle: l.Handle})
		m.syncs(wire.Settled)
		h.has(wallet.Unit, 0)
		m.wants(m.send(tap), wire.Refused, wire.JustPaid)
		h.has(wallet.Unit, 0)
		cards, err := s.Cards(t.Context(), h.id)
		if err != nil || cards[0].Spent != wallet.Unit {
			t.Errorf("%s: the card has spent %v today, %v", name, cards[0].Spent, err)
		}
	}
}

// What lies between the two: the paywall is judging the tap when the record is settled.
func TestATapIsOvertakenWhileItIsJudged(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(2 * wallet.Unit)
	n := h.signing(m, 1)
	s.Offline.Lease = 0
	l := m.admits(message(n))
	tap := m.newTap("coffee", message(n))
	ledger := s.Ledger
	s.Ledger = &hooked{Ledger: ledger, hold: func() { // the card is noted, the money not yet aside
		s.Ledger = ledger
		m.writes(wire.Record{Tap: tap.ID, Price: "1.00", Handle: l.Handle})
		m.syncs(wire.Settled)
	}}
	m.wants(m.send(tap), wire.Refused, wire.JustPaid)
	h.has(wallet.Unit, 0)
}

// hooked is a ledger before whose next hold something happens.
type hooked struct {
	wallet.Ledger
	hold func()
}

func (l *hooked) Hold(ctx context.Context, h wallet.Hold) (wallet.Receipt, error) {
	l.hold()
	return l.Ledger.Hold(ctx, h)
}

// What a wallet does not have is owed: the card pays nothing until it has, kiosks hear of it,
// and it is paid once.
func TestAShortWalletOwes(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(wallet.Unit + wallet.Unit/2)
	n := h.signing(m, 1)
	s.Offline.Lease = 0
	l := m.admits(message(n))
	policy, err := s.Report(t.Context(), m.authenticated(wire.StatePath, wire.State{}), wire.State{})
	if err != nil {
		t.Fatal(err)
	}
	heard := policy.Offline.Denials.Number
	m.grants(l.Handle, wallet.OpID{}, "1.00")
	m.grants(l.Handle, wallet.OpID{}, "1.00")
	m.syncs(wire.Settled, wire.Owed)
	m.syncs(wire.Settled, wire.Owed)
	h.has(wallet.Unit/2, 0)
	policy, err = s.Report(t.Context(), m.authenticated(wire.StatePath, wire.State{}), wire.State{Denials: heard})
	if err != nil || fmt.Sprint(policy.Offline.Denials.Cards) != fmt.Sprint([]string{l.Handle}) || !policy.Offline.Head.Is(m.head) {
		t.Errorf("the kiosk hears %+v, %v", policy.Offline, err)
	}
	m.wants(m.tap("gate", message(n)), wire.Refused, wire.NoMoney)
	if debts, err := s.Debts(t.Context()); err != nil || len(debts) != 1 || debts[0].Amount != wallet.Unit || debts[0].Kiosk != "machine" {
		t.Errorf("the debts are %+v, %v", debts, err)
	}
	ledgertest.Fund(t, s.Ledger, s.clock.Now, h.id, wallet.Unit)
	m.wants(m.tap("gate", message(n)), wire.Granted, "")
	h.has(wallet.Unit/2-wallet.Unit/10, wallet.Unit/10)
	if left, err := s.PayDebts(t.Context(), h.id, h.wallet().Generation); left != 0 || err != nil {
		t.Errorf("%v is owed, %v", left, err)
	}
	m.syncs(wire.Settled, wire.Owed) // as it was
	h.has(wallet.Unit/2-wallet.Unit/10, wallet.Unit/10)
}

func TestWhatWasNotHandedOutIsNotPaid(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(9 * wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	m.grants(l.Handle, l.ID, "1.00")
	m.grants(l.Handle, wallet.OpID{}, "1.00")
	for i := range m.unsent {
		m.unsent[i] = m.unsent[i].Reverse(m.key)
	}
	m.syncs(wire.Reversed, wire.Reversed)
	h.has(9*wallet.Unit, 0)
}

// What was handed out before a card was removed, blocked or claimed by another is still paid
// by whom it was.
func TestARemovedCardPaysWhatItHasHad(t *testing.T) {
	s, m := offlineShop(t)
	h, other := s.holder(9*wallet.Unit), s.holder(9*wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	m.grants(l.Handle, l.ID, "1.00")
	m.grants(l.Handle, wallet.OpID{}, "1.00")
	cards, err := s.Cards(t.Context(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveCard(t.Context(), h.id, cards[0].ID); err != nil {
		t.Fatal(err)
	}
	other.claims(m.machine, message(n))
	d, err := s.denials(t.Context(), m.kiosk(), 1)
	if err != nil || len(d.Cards) != 1 || d.Cards[0] != l.Handle {
		t.Errorf("the kiosk hears of %+v, %v", d, err)
	}
	m.syncs(wire.Settled, wire.Settled)
	h.has(7*wallet.Unit, 0)
	other.has(9*wallet.Unit, 0)
}

// A holder who looks at their cards pays what is owed for them, also for one that they have
// removed.
func TestAHolderPaysWhatIsOwed(t *testing.T) {
	s, m := offlineShop(t)
	s.Offline.Lease = 0
	h := s.holder(wallet.Unit)
	n, gone := h.signing(m, 1), h.signing(m, 2)
	kept, removed := m.admits(message(n)), m.admits(message(gone))
	for _, l := range []wire.Lease{kept, kept, removed} {
		m.grants(l.Handle, wallet.OpID{}, "1.00")
	}
	m.syncs(wire.Settled, wire.Owed, wire.Owed)
	cards, owed, err := s.CardsPaid(t.Context(), h.wallet())
	if err != nil || owed != 2*wallet.Unit || len(cards) != 2 {
		t.Fatalf("%v is owed for %d cards, %v", owed, len(cards), err)
	}
	if err := s.RemoveCard(t.Context(), h.id, cards[1].ID); err != nil {
		t.Fatal(err)
	}
	ledgertest.Fund(t, s.Ledger, s.clock.Now, h.id, 3*wallet.Unit)
	for range 2 {
		if cards, owed, err = s.CardsPaid(t.Context(), h.wallet()); err != nil || owed != 0 || len(cards) != 1 || cards[0].Indebted {
			t.Errorf("%v is owed for %+v, %v", owed, cards, err)
		}
		h.has(wallet.Unit, 0)
	}
	if debts, err := s.Debts(t.Context()); err != nil || len(debts) > 0 {
		t.Errorf("the operator sees %+v, %v", debts, err)
	}
}
