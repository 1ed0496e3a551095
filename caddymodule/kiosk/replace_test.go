package kiosk

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// claim is what a kiosk shows for a card that nobody has.
func (m *machine) claim(shown wire.Card) string {
	m.Helper()
	return m.wants(m.tap("gate", shown), wire.Unknown, "").Claim
}

func (h *holder) replaces(claim string, old Card) Card {
	h.Helper()
	one, err := h.ReplaceCard(h.Context(), h.wallet(), claim, "", old.ID)
	if err != nil {
		h.Fatal(err)
	}
	return one
}

// limit sets what a card may spend, for its holder.
func (h *holder) limit(one Card, tap, day wallet.Amount) {
	h.Helper()
	if _, err := h.ChangeCard(h.Context(), h.id, one.ID, func(one *Card) error {
		one.Own = &Limits{Tap: tap, Day: day}
		return nil
	}); err != nil {
		h.Fatal(err)
	}
}

// Whoever has lost a card takes another one, and goes on with it as it was.
func TestACardTakesAnothersPlaceInOneStep(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
	lost, found := numbered(t, 1), s.ntag(2)
	old := h.claims(m, lost)
	h.limit(old, wallet.Unit, 2*wallet.Unit)
	m.wants(m.tap("coffee", lost), wire.Granted, "")
	claim := m.claim(message(found))
	for range 2 { // the answer was lost
		one := h.replaces(claim, old)
		if one.Name != "mine" || one.Tier != TierSUN || one.Spent != wallet.Unit || one.Own == nil || one.Own.Tap != wallet.Unit || one.Replaces != "" {
			t.Fatalf("the new card is %+v", one)
		}
	}
	m.wants(m.tap("gate", lost), wire.Refused, wire.Replaced)
	m.wants(m.tap("coffee", message(found)), wire.Granted, "")
	m.wants(m.tap("gate", message(found)), wire.Refused, wire.DayLimit)
	all, err := s.Cards(t.Context(), h.id)
	if err != nil || len(all) != 2 {
		t.Fatalf("the wallet has %+v, %v", all, err)
	}
	h.has(8*wallet.Unit, 2*wallet.Unit)
}

// cutter is a ledger that stops taking registers after some, with the last one written or
// not.
type cutter struct {
	wallet.Ledger
	left    int
	written bool
}

var errCut = errors.New("cut off")

func (c *cutter) Put(ctx context.Context, p wallet.Put) (wallet.Receipt, error) {
	if c.left--; c.left < 0 {
		if c.left == -1 && c.written {
			_, _ = c.Ledger.Put(ctx, p)
		}
		return wallet.Receipt{}, errCut
	}
	return c.Ledger.Put(ctx, p)
}

// Whatever the paywall had written when it went down: never do both cards pay, and sending
// the same again comes to the same.
func TestAReplacementMayBeInterruptedAnywhere(t *testing.T) {
	for _, written := range []bool{false, true} {
		for left, done := 0, false; !done; left++ {
			s := open(t)
			m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
			before, after := numbered(t, 1), numbered(t, 2)
			old := h.claims(m, before)
			h.limit(old, wallet.Unit, 3*wallet.Unit/2)
			m.wants(m.tap("coffee", before), wire.Granted, "")
			claim := m.claim(after)
			whole := s.Ledger
			s.Ledger = &cutter{Ledger: whole, left: left, written: written}
			_, err := s.ReplaceCard(t.Context(), h.wallet(), claim, "", old.ID)
			s.Ledger = whole
			pays := func(shown wire.Card) bool {
				v := m.tap("gate", shown)
				return v.Outcome == wire.Granted
			}
			if a, b := pays(before), pays(after); a && b {
				t.Fatalf("cut after %d: both pay", left)
			}
			one, again := s.AddCard(t.Context(), h.wallet(), claim, "") // whoever knows no more of the old one
			if again == nil && one.Replaces == "" && one.Own == nil {   // nothing had been written of the new card
				if left > 1 {
					t.Fatalf("cut after %d: the new card is bare: %+v", left, one)
				}
				continue
			}
			if one = h.replaces(claim, old); one.Own == nil || one.Own.Day != 3*wallet.Unit/2 || one.Spent < wallet.Unit || again != nil {
				t.Fatalf("cut after %d: the new card is %+v, %v", left, one, again)
			}
			m.wants(m.tap("gate", before), wire.Refused, wire.Replaced)
			if err == nil {
				if done = true; left != 4 {
					t.Errorf("it is done after %d writes", left)
				}
			}
		}
	}
}

// The attack: one card is replaced by many at once, each of which would have its day's
// limit.
func TestACardIsReplacedOnce(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
	old := h.claims(m, numbered(t, 1))
	var all sync.WaitGroup
	results := make([]error, 6)
	for i := range results {
		claim := m.claim(numbered(t, byte(i+2)))
		all.Go(func() {
			_, results[i] = s.ReplaceCard(t.Context(), h.wallet(), claim, "", old.ID)
		})
	}
	all.Wait()
	done := 0
	for i, err := range results {
		v := m.tap("gate", numbered(t, byte(i+2)))
		switch {
		case err == nil:
			done++
			m.wants(v, wire.Granted, "")
		case !errors.Is(err, ErrReplaced):
			t.Error(err)
		default:
			m.wants(v, wire.Unknown, "") // it is nobody's again
		}
	}
	if done != 1 {
		t.Errorf("%d have its place, want 1", done)
	}
}

// The attack: whoever has found the old card makes it theirs.
func TestAReplacedCardIsNobodyElses(t *testing.T) {
	s := open(t)
	m, h, thief := s.enrol("machine"), s.holder(10*wallet.Unit), s.holder(0)
	lost := numbered(t, 1)
	early := m.claim(lost)
	old := h.claims(m, lost)
	one := h.replaces(m.claim(numbered(t, 2)), old)
	m.wants(m.tap("gate", lost), wire.Refused, wire.Replaced) // and no claim
	if _, err := s.AddCard(t.Context(), thief.wallet(), early, ""); !errors.Is(err, ErrTaken) {
		t.Errorf("it is claimed by an older claim: %v", err)
	}
	if _, err := s.ReplaceCard(t.Context(), thief.wallet(), early, "", old.ID); !errors.Is(err, wallet.ErrNotFound) {
		t.Errorf("it is replaced by somebody else: %v", err)
	}
	if err := s.RemoveCard(t.Context(), thief.id, old.ID); !errors.Is(err, wallet.ErrNotFound) {
		t.Errorf("it is removed by somebody else: %v", err)
	}
	if _, err := s.ChangeCard(t.Context(), h.id, old.ID, func(c *Card) error { c.Blocked = false; return nil }); err != nil {
		t.Fatal(err)
	}
	m.wants(m.tap("gate", lost), wire.Refused, wire.Replaced) // whatever its holder says
	if err := s.RemoveCard(t.Context(), h.id, old.ID); err != nil {
		t.Fatal(err)
	}
	m.wants(m.tap("gate", lost), wire.Unknown, "")
	m.wants(m.tap("gate", numbered(t, 2)), wire.Granted, "")
	if one.ID == old.ID {
		t.Error("they are one card")
	}
}

// What makes no sense changes nothing.
func TestAReplacementOfWhatIsNone(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(10*wallet.Unit)
	first, second := h.claims(m, numbered(t, 1)), h.claims(m, numbered(t, 2))
	third := h.replaces(m.claim(numbered(t, 3)), first)
	claim := m.claim(numbered(t, 4))
	for name, c := range map[string]struct {
		claim, old string
		want       error
	}{
		"none": {claim, "", wallet.ErrNotFound}, "no ID": {claim, "\x00", wallet.ErrNotFound},
		"replaced": {claim, first.ID, ErrReplaced}, "no claim": {"x", second.ID, ErrCode},
		"by one that pays": {m.reclaim(t, numbered(t, 3)), second.ID, ErrInvalid},
		"by itself":        {m.reclaim(t, numbered(t, 2)), second.ID, ErrReplaced},
	} {
		if _, err := s.ReplaceCard(t.Context(), h.wallet(), c.claim, "", c.old); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	m.wants(m.tap("gate", numbered(t, 4)), wire.Unknown, "")
	m.wants(m.tap("gate", numbered(t, 2)), wire.Granted, "")
	m.wants(m.tap("gate", numbered(t, 3)), wire.Granted, "")
	for i := range MaxCards - 2 {
		h.claims(m, numbered(t, byte(i+5)))
	}
	if _, err := s.AddCard(t.Context(), h.wallet(), claim, ""); !errors.Is(err, ErrInvalid) {
		t.Errorf("one more: %v", err)
	}
	h.replaces(claim, third) // and one in the place of another
}

// reclaim is a claim that was shown before a card was somebody's.
func (m *machine) reclaim(t *testing.T, shown wire.Card) string {
	t.Helper()
	p, reason := m.read(shown)
	if reason != "" {
		t.Fatal(reason)
	}
	return m.newClaim(p)
}

// Kiosks that are cut off hear of each card that stops, however it does, and of none that
// goes on.
func TestKiosksThatAreCutOffHearOfACardThatStops(t *testing.T) {
	for name, stop := range map[string]func(h *holder, m *cutoff, one Card) error{
		"blocked": func(h *holder, _ *cutoff, one Card) error {
			_, err := h.ChangeCard(t.Context(), h.id, one.ID, func(one *Card) error { one.Blocked = true; return nil })
			return err
		},
		"removed": func(h *holder, _ *cutoff, one Card) error { return h.RemoveCard(t.Context(), h.id, one.ID) },
		"with a PIN": func(h *holder, _ *cutoff, one Card) error {
			h.hasPIN(one, rightPIN, wallet.Unit)
			return nil
		},
		"replaced": func(h *holder, m *cutoff, one Card) error {
			if next := h.replaces(m.claim(numbered(t, 2)), one); !next.paysOffline() {
				t.Error("what has its place does not pay offline")
			}
			return nil
		},
	} {
		s, m := offlineShop(t)
		h, shown := s.holder(20*wallet.Unit), numbered(t, 1)
		one := h.claims(m.machine, shown)
		if _, err := s.ChangeCard(t.Context(), h.id, one.ID, func(one *Card) error { one.Offline = true; return nil }); err != nil {
			t.Fatal(err)
		}
		l := m.admits(shown)
		h.limit(one, wallet.Unit, wallet.Unit)
		if d, err := s.denials(t.Context(), m.kiosk(), 1); err != nil || len(d.Cards) > 0 {
			t.Errorf("%s: before, they hear of %v, %v", name, d.Cards, err)
		}
		if err := stop(h, m, one); err != nil {
			t.Fatal(err)
		}
		if d, err := s.denials(t.Context(), m.kiosk(), 1); err != nil || len(d.Cards) != 1 || d.Cards[0] != l.Handle {
			t.Errorf("%s: they hear of %v, %v", name, d.Cards, err)
		}
	}
}
