package kiosk

import (
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

func TestALeaseIsSpentAndTheRestGoesBack(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(12 * wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	h.has(7*wallet.Unit, 5*wallet.Unit)
	if again := m.admits(message(n)); again.ID != l.ID || again.Handle != l.Handle || again.Proof != "mutual" || again.Tap != "20.00" {
		t.Errorf("a lease that is fresh is replaced: %+v", again)
	}
	if k4, err := wire.OpenCardKey(m.key, l.Handle, l.Key); err != nil || len(k4) != 16 {
		t.Errorf("the card's key is %d bytes, %v", len(k4), err)
	}
	m.grants(l.Handle, l.ID, "1.00")
	m.grants(l.Handle, l.ID, "1.00")
	m.syncs(wire.Settled, wire.Settled)
	h.has(10*wallet.Unit, 0)
	m.syncs(wire.Settled, wire.Settled) // the answer was lost
	s.clock.Advance(2 * time.Hour)
	m.syncs(wire.Settled, wire.Settled)
	h.has(10*wallet.Unit, 0)
	if next := m.admits(message(n)); next.ID == l.ID || next.Amount != "5.00" {
		t.Errorf("the next lease is %+v", next)
	}
	s.clock.Advance(s.Offline.LeaseFor + leaseGrace)
	h.has(10*wallet.Unit, 0) // nobody has synced: it is back by itself
}

// A holder's money is set aside elsewhere with their leave alone, and no more than there is.
func TestALeaseIsTheHoldersToAllow(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(3 * wallet.Unit)
	n := s.ntag(1)
	one := h.claims(m.machine, message(n))
	if v := m.wants(m.tap("gate", message(n)), wire.Granted, ""); v.Ticket != "" {
		t.Error("a card may pay offline whose holder has not said so")
	}
	h.opens(one)
	s.clock.Advance(time.Minute)
	v := m.wants(m.tap("gate", message(n)), wire.Granted, "")
	if l, err := m.Lease(t.Context(), m.kiosk(), wire.LeaseRequest{Ticket: v.Ticket}); err != nil || l.Amount != "1.45" {
		t.Errorf("of 3.00, of which a tap holds 0.10, the lease is %+v, %v", l, err)
	}
	other := s.enrol("other")
	if _, err := s.Lease(t.Context(), Kiosk{Name: "other", Key: other.key.Public().(ed25519.PublicKey)}, wire.LeaseRequest{Ticket: v.Ticket}); !errors.Is(err, ErrCode) {
		t.Errorf("another kiosk's ticket: %v", err)
	}
	s.clock.Advance(ticketLife)
	if _, err := m.Lease(t.Context(), m.kiosk(), wire.LeaseRequest{Ticket: v.Ticket}); !errors.Is(err, ErrCode) {
		t.Errorf("an old ticket: %v", err)
	}
}

// The attack: a kiosk goes on asking with a ticket whose lease is over, to have money that
// nobody holds any more, or its card's bounds anew.
func TestATicketIsGoodForOneLease(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(20 * wallet.Unit)
	n := h.signing(m, 1)
	v := m.wants(m.tap("gate", message(n)), wire.Granted, "")
	m.resolve(wire.ReleasePath, v, Released)
	ask := func() wire.Lease {
		l, err := m.Lease(t.Context(), m.kiosk(), wire.LeaseRequest{Ticket: v.Ticket})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := ask()
	m.grants(l.Handle, l.ID, "1.00")
	m.grants(l.Handle, wallet.OpID{}, "1.00")
	m.grants(l.Handle, wallet.OpID{}, "1.00")
	m.syncs(wire.Settled, wire.Settled, wire.Settled)
	if again := ask(); again.ID != (wallet.OpID{}) {
		t.Errorf("the lease is given out again: %+v", again)
	}
	m.unsent = nil
	m.grants(l.Handle, wallet.OpID{}, "1.00")
	m.syncs(wire.Lost)
	h.has(17*wallet.Unit, 0)
}

// A card that shows its number alone pays from its lease, and nothing beyond.
func TestANumberPaysOfflineFromItsLeaseAlone(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(50 * wallet.Unit)
	plain := numbered(t, 1)
	h.opens(h.claims(m.machine, plain))
	l := m.admits(plain)
	if l.Proof != "uid" || len(l.Key) > 0 || l.Tap != "2.00" {
		t.Errorf("the lease is %+v", l)
	}
	m.grants(l.Handle, l.ID, "1.00")
	m.grants(l.Handle, wallet.OpID{}, "1.00")
	m.syncs(wire.Settled, wire.Lost)
	h.has(49*wallet.Unit, 0)
	s.Offline.Proof = TierMutual
	s.clock.Advance(time.Minute)
	if v := m.wants(m.tap("coffee", plain), wire.Granted, ""); v.Ticket != "" {
		t.Error("it may pay offline where a proof is wanted")
	}
}

// A kiosk that comes back when its lease is long over: what was spent is taken from the
// wallet, or owed.
func TestALeaseThatIsOverIsCollected(t *testing.T) {
	for _, short := range []bool{false, true} {
		s, m := offlineShop(t)
		h := s.holder(5 * wallet.Unit)
		n := h.signing(m, 1)
		l := m.admits(message(n))
		m.grants(l.Handle, l.ID, "1.00")
		m.grants(l.Handle, l.ID, "1.00")
		s.clock.Advance(s.Offline.LeaseFor + leaseGrace)
		want := []wire.Outcome{wire.Settled, wire.Settled}
		if short {
			if _, err := s.Ledger.Transfer(t.Context(), wallet.Transfer{
				ID: ledgertest.NewID(t, s.clock.Now), From: wallet.WalletAccount(h.id), To: wallet.Site, Generation: h.wallet().Generation, Amount: 4 * wallet.Unit,
			}); err != nil {
				t.Fatal(err)
			}
			want = []wire.Outcome{wire.Owed, wire.Owed}
		}
		m.syncs(want...)
		m.syncs(want...)
		if short {
			h.has(wallet.Unit, 0)
			m.wants(m.tap("gate", message(n)), wire.Refused, wire.NoMoney)
		} else {
			h.has(3*wallet.Unit, 0)
		}
	}
}

// A machine that takes over a name begins a chain of its own, and what it knows of cards is
// what it is told.
func TestAnotherMachineBeginsAnew(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(20 * wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	m.grants(l.Handle, l.ID, "1.00")
	m.grants(l.Handle, wallet.OpID{}, "1.00")
	m.syncs(wire.Settled, wire.Settled)
	next := &cutoff{machine: s.enrol("machine")}
	next.grants(l.Handle, wallet.OpID{}, "1.00")
	next.syncs(wire.Lost) // a card that the one before has met
	next.unsent = nil
	s.clock.Advance(time.Minute)
	l = next.admits(message(n))
	next.grants(l.Handle, l.ID, "1.00")
	next.grants(l.Handle, wallet.OpID{}, "1.00")
	next.syncs(wire.Settled, wire.Settled)
	h.has(16*wallet.Unit, 0)
}

// A card that has changed hands pays from its new holder's wallet: what the other one has
// lent for it goes back to them.
func TestALeaseEndsWithItsHolder(t *testing.T) {
	s, m := offlineShop(t)
	h, other := s.holder(9*wallet.Unit), s.holder(9*wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	m.grants(l.Handle, l.ID, "1.00")
	m.syncs(wire.Settled)
	m.unsent = nil
	s.clock.Advance(time.Minute)
	m.admits(message(n))
	h.has(4*wallet.Unit, 4*wallet.Unit)
	cards, err := s.Cards(t.Context(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveCard(t.Context(), h.id, cards[0].ID); err != nil {
		t.Fatal(err)
	}
	other.opens(other.claims(m.machine, message(n)))
	s.clock.Advance(time.Minute)
	next := m.admits(message(n))
	h.has(8*wallet.Unit, 0)
	other.has(9*wallet.Unit/2, 9*wallet.Unit/2)
	m.grants(next.Handle, next.ID, "1.00")
	m.syncs(wire.Settled)
	h.has(8*wallet.Unit, 0)
	other.has(8*wallet.Unit, 0)
}

// A lease that is half used is replaced, and what it gives back is there for the next one:
// never more than half of what the wallet has.
func TestALeaseIsRenewedFromWhatItGivesBack(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(6 * wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	h.has(3*wallet.Unit, 3*wallet.Unit)
	for range 2 {
		m.grants(l.Handle, l.ID, "1.00")
	}
	m.syncs(wire.Settled, wire.Settled)
	h.has(4*wallet.Unit, 0)
	s.clock.Advance(time.Minute)
	if next := m.admits(message(n)); next.Amount != "2.00" || next.ID == l.ID {
		t.Errorf("the next lease is %+v", next)
	}
	s.clock.Advance(s.Offline.LeaseFor/2 + time.Minute)
	ledgertest.Fund(t, s.Ledger, s.clock.Now, h.id, 2*wallet.Unit)
	if next := m.admits(message(n)); next.Amount != "3.00" { // nothing was spent of it
		t.Errorf("the lease after it is %+v", next)
	}
}

// What is lent to a card at a kiosk is there for its tap online at the same one.
func TestATapOnlineMayTakeWhatIsLent(t *testing.T) {
	s, m := offlineShop(t)
	s.Products["wine"] = Product{Price: 5 * wallet.Unit}
	h := s.holder(6 * wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	h.has(3*wallet.Unit, 3*wallet.Unit)
	other := s.enrol("other")
	s.clock.Advance(time.Minute)
	other.wants(other.tap("wine", message(n)), wire.Refused, wire.NoMoney)
	v := m.wants(m.tap("wine", message(n)), wire.Granted, "")
	if v.Lapsed != l.ID || v.Ticket == "" {
		t.Errorf("the kiosk is not told: %+v", v)
	}
	m.resolve(wire.CapturePath, v, Captured)
	h.has(wallet.Unit, 0)
	m.grants(l.Handle, l.ID, "1.00") // before it was told
	m.syncs(wire.Settled)
	h.has(0, 0)
}

// The attack: a wallet is frozen, or its credentials revoked, and its cards go on at kiosks
// that are cut off.
func TestAFrozenWalletIsLentNothingAndItsCardsAreDenied(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(9 * wallet.Unit)
	n := h.signing(m, 1)
	l := m.admits(message(n))
	s.clock.Advance(time.Minute)
	v := m.wants(m.tap("gate", message(n)), wire.Granted, "")
	for _, frozen := range []bool{true, false} {
		if _, err := s.Ledger.Freeze(t.Context(), wallet.Freeze{ID: ledgertest.NewID(t, s.clock.Now), Wallet: h.id, Frozen: frozen}); err != nil {
			t.Fatal(err)
		}
		if !frozen {
			if _, err := s.Ledger.Rekey(t.Context(), wallet.Rekey{ID: ledgertest.NewID(t, s.clock.Now), Wallet: h.id, Revoke: true}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := m.Lease(t.Context(), m.kiosk(), wire.LeaseRequest{Ticket: v.Ticket}); !errors.Is(err, ErrCode) {
			t.Errorf("frozen %v: %v", frozen, err)
		}
	}
	if err := s.DenyWallet(t.Context(), h.id); err != nil {
		t.Fatal(err)
	}
	if d, err := s.denials(t.Context(), m.kiosk(), 1); err != nil || len(d.Cards) != 1 || d.Cards[0] != l.Handle {
		t.Errorf("the kiosk hears of %+v, %v", d, err)
	}
}
