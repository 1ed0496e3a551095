package kiosk

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// The attack: a number that was read in a crowd is written onto a blank card. It pays what
// a number may, and nothing for a card that was added with a proof.
func TestAClonedNumberPaysNoMoreThanANumberMay(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(100*wallet.Unit)
	n := s.ntag(1)
	h.claims(m, message(n))
	clone := numbered(t, 1)
	m.wants(m.tap("gate", clone), wire.Refused, wire.ProofNeeded)
	h.has(100*wallet.Unit, 0)
	plain := numbered(t, 2)
	h.claims(m, plain)
	spent := wallet.Amount(0)
	for range 50 {
		v := m.tap("coffee", plain)
		if v.Outcome != wire.Granted {
			m.wants(v, wire.Refused, wire.TierLimit)
			break
		}
		spent += wallet.Unit
		s.clock.Advance(s.Guard)
	}
	if spent != DefaultLimits[TierUID].Day {
		t.Errorf("a number pays %v a day, want %v", spent, DefaultLimits[TierUID].Day)
	}
}

// The attack: a message that was taken down at the last tap, or read in a pocket before
// the card was used again, is shown once more.
func TestAMessageOfACardIsAcceptedOnce(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(100*wallet.Unit)
	n := s.ntag(1)
	h.claims(m, message(n))
	older, newer := message(n), message(n)
	m.wants(m.tap("gate", newer), wire.Granted, "")
	s.clock.Advance(time.Minute)
	m.wants(m.tap("gate", newer), wire.Refused, wire.Replayed)
	m.wants(m.tap("gate", older), wire.Refused, wire.Replayed)
	m.wants(m.tap("gate", message(n)), wire.Granted, "")
}

// The attack: one message at many kiosks at the same instant.
func TestAMessageShownEverywhereAtOnceIsAcceptedOnce(t *testing.T) {
	s := open(t)
	h := s.holder(100 * wallet.Unit)
	n := s.ntag(1)
	var machines []*machine
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		machines = append(machines, s.enrol(name))
	}
	h.claims(machines[0], message(n))
	shown := message(n)
	verdicts := make([]wire.Verdict, len(machines))
	var all sync.WaitGroup
	for i, m := range machines {
		tap := m.newTap("gate", shown)
		k := m.authenticated(wire.TapPath, tap)
		all.Go(func() {
			var err error
			if verdicts[i], err = s.Tap(t.Context(), k, tap); err != nil && !errors.Is(err, ErrBusy) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	granted := 0
	for _, v := range verdicts {
		if v.Outcome == wire.Granted {
			granted++
		} else if v.Reason != wire.Replayed {
			t.Errorf("a message that was used elsewhere is %s %s", v.Outcome, v.Reason)
		}
	}
	if granted != 1 {
		t.Errorf("it is granted %d times, want 1", granted)
	}
	h.has(100*wallet.Unit-wallet.Unit/10, wallet.Unit/10)
}

// The attack: a message made with another key, for a card that is somebody's and for one
// that is nobody's.
func TestAMessageOfAnotherKeyIsForged(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(100*wallet.Unit)
	h.claims(m, message(s.ntag(1)))
	for _, last := range []byte{1, 2} {
		number := card.UID{0x04, 1, 2, 3, 4, 5, last}
		keys := card.Bolt(s.Keys.Cards, number, keyVersion).Keys
		keys[2][0] ^= 1
		m.wants(m.tap("gate", message(virtual.NewNTAG(number, keys, ""))), wire.Refused, wire.Forged)
		keys = card.Bolt(card.Key{9}, number, keyVersion).Keys // of another shop
		m.wants(m.tap("gate", message(virtual.NewNTAG(number, keys, ""))), wire.Refused, wire.Forged)
	}
	h.has(100*wallet.Unit, 0)
}

// The attack: a phone is enrolled by a number that another phone may draw.
func TestANumberOfTheMomentIsNoCard(t *testing.T) {
	s := open(t)
	m := s.enrol("machine")
	drawn, err := uid.New([]byte{0x08, 1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	m.wants(m.tap("gate", wire.Card{UID: drawn}), wire.Refused, wire.NoIdentity)
}

// The attack: a kiosk's request is taken down and sent again, or before an older one.
func TestARequestOfAKioskCountsOnce(t *testing.T) {
	s := open(t)
	m := s.enrol("machine")
	older, olderToken := m.request(wire.StatePath, wire.State{})
	newer, newerToken := m.request(wire.StatePath, wire.State{})
	if _, err := s.Authenticate(t.Context(), newerToken, newer); err != nil {
		t.Fatal(err)
	}
	for _, again := range []struct {
		r     wire.Request
		token string
	}{{newer, newerToken}, {older, olderToken}} {
		if _, err := s.Authenticate(t.Context(), again.token, again.r); !errors.Is(err, ErrUnauthorized) {
			t.Errorf("sequence %d is taken again: %v", again.r.Sequence, err)
		}
	}
	other := s.enrol("other")
	r, token := other.request(wire.StatePath, wire.State{})
	other.key = m.key
	_, forged := other.request(wire.StatePath, wire.State{})
	if _, err := s.Authenticate(t.Context(), forged, r); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("another kiosk's key: %v", err)
	}
	if _, err := s.Authenticate(t.Context(), token, r); err != nil {
		t.Errorf("a request that was tried with a forged token first: %v", err)
	}
}

// The attack: a stolen kiosk.
func TestADisabledKioskDoesNothing(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(wallet.Unit)
	h.claims(m, numbered(t, 1))
	if err := s.Disable(t.Context(), "machine", true); err != nil {
		t.Fatal(err)
	}
	r, token := m.request(wire.TapPath, m.newTap("gate", numbered(t, 1)))
	if _, err := s.Authenticate(t.Context(), token, r); !errors.Is(err, ErrDisabled) {
		t.Errorf("it may go on: %v", err)
	}
	fresh := s.enrol("machine") // another machine in its place
	if _, err := s.Authenticate(t.Context(), token, r); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("the stolen key is still good: %v", err)
	}
	fresh.wants(fresh.tap("gate", numbered(t, 1)), wire.Granted, "")
	if err := s.Disable(t.Context(), "nobody", true); !errors.Is(err, wallet.ErrNotFound) {
		t.Errorf("disabling none: %v", err)
	}
}

// The attack: a code for enrolment is used twice, at the same time, later, or guessed.
func TestACodeForEnrolmentIsGoodOnceAndForMinutes(t *testing.T) {
	s := open(t)
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	code, _, err := s.NewCode(t.Context(), "machine", false)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	results := make(chan error, 10)
	for range cap(results) {
		all.Go(func() {
			_, err := s.Enrol(t.Context(), wire.Enrol{Code: strings.ToLower(code.String()), Key: public})
			results <- err
		})
	}
	all.Wait()
	close(results)
	enrolled := 0
	for err := range results {
		if err == nil {
			enrolled++
		} else if !errors.Is(err, ErrCode) {
			t.Error(err)
		}
	}
	if enrolled != 1 {
		t.Errorf("a code enrols %d kiosks, want 1", enrolled)
	}
	late, _, err := s.NewCode(t.Context(), "late", false)
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(codeLife)
	guessed, err := wallet.NewVoucherCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]wire.Enrol{
		"late": {Code: late.String(), Key: public}, "guessed": {Code: guessed.String(), Key: public}, "none": {Key: public},
	} {
		if _, err := s.Enrol(t.Context(), e); !errors.Is(err, ErrCode) {
			t.Errorf("a code that is %s: %v", name, err)
		}
	}
	if _, _, err := s.NewCode(t.Context(), "../x", false); !errors.Is(err, ErrInvalid) {
		t.Errorf("a kiosk of any name: %v", err)
	}
	if _, err := s.Enrol(t.Context(), wire.Enrol{Code: late.String(), Key: public[:31]}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a short key: %v", err)
	}
	left := 0
	if err := s.each(t.Context(), codePrefix, func(wallet.Register) error { left++; return nil }); err != nil || left != 1 {
		t.Errorf("%d codes are kept, %v", left, err)
	}
	if _, _, err := s.NewCode(t.Context(), "machine", false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Ledger.Register(t.Context(), s.codeRegister(late)); !errors.Is(err, wallet.ErrNotFound) {
		t.Errorf("a code that is over is kept: %v", err)
	}
}

// The attack: a grant is changed, used by another kiosk, or taken for a claim.
func TestAGrantIsGoodForItsKioskAlone(t *testing.T) {
	s := open(t)
	m, other, h := s.enrol("machine"), s.enrol("other"), s.holder(5*wallet.Unit)
	shown := numbered(t, 1)
	h.claims(m, shown)
	v := m.wants(m.tap("coffee", shown), wire.Granted, "")
	changed := []byte(v.Grant)
	changed[20] ^= 1
	for name, c := range map[string]struct {
		by    *machine
		grant string
	}{
		"another kiosk's": {other, v.Grant}, "changed": {m, string(changed)}, "empty": {m, ""},
		"cut": {m, v.Grant[:len(v.Grant)-2]}, "long": {m, strings.Repeat("A", mostSealed+1)},
	} {
		r := wire.Resolve{Grant: c.grant}
		k := c.by.authenticated(wire.CapturePath, r)
		if _, err := s.Capture(t.Context(), k, r); !errors.Is(err, ErrCode) {
			t.Errorf("a grant that is %s: %v", name, err)
		}
		if _, err := s.Release(t.Context(), k, r); !errors.Is(err, ErrCode) {
			t.Errorf("a grant that is %s is released: %v", name, err)
		}
	}
	if _, err := s.AddCard(t.Context(), h.wallet(), v.Grant, ""); !errors.Is(err, ErrCode) {
		t.Errorf("a grant as a claim: %v", err)
	}
	h.has(4*wallet.Unit, wallet.Unit)
}

// The attack: a kiosk takes the money of one grant twice, many times at once, or after it has
// given it back.
func TestAGrantIsCapturedOnce(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(5*wallet.Unit)
	shown := numbered(t, 1)
	h.claims(m, shown)
	v := m.wants(m.tap("coffee", shown), wire.Granted, "")
	k := m.authenticated(wire.CapturePath, wire.Resolve{Grant: v.Grant})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if r, err := s.Capture(t.Context(), k, wire.Resolve{Grant: v.Grant}); err != nil || r.Outcome != Captured {
				t.Errorf("one of many at once: %+v, %v", r, err)
			}
		})
	}
	all.Wait()
	m.resolve(wire.ReleasePath, v, Expired)
	h.has(4*wallet.Unit, 0)
	s.clock.Advance(time.Hour + time.Minute)
	m.resolve(wire.CapturePath, v, Expired) // its ids are forgotten, and the hold is spent
	h.has(4*wallet.Unit, 0)
	back := m.wants(m.tap("coffee", shown), wire.Granted, "")
	m.resolve(wire.ReleasePath, back, Released)
	m.resolve(wire.CapturePath, back, Expired)
	h.has(4*wallet.Unit, 0)
}

// The attack: somebody else's card is claimed, with the code that a kiosk has shown.
func TestACardIsClaimedOnce(t *testing.T) {
	s := open(t)
	m, h, thief := s.enrol("machine"), s.holder(wallet.Unit), s.holder(0)
	shown := numbered(t, 1)
	first := m.wants(m.tap("gate", shown), wire.Unknown, "")
	second := m.wants(m.tap("gate", shown), wire.Unknown, "")
	one, err := s.AddCard(t.Context(), h.wallet(), first.Claim, "  my\x00 card ")
	if err != nil || one.Name != "my card" {
		t.Fatalf("claiming: %+v, %v", one, err)
	}
	if again, err := s.AddCard(t.Context(), h.wallet(), second.Claim, "other"); err != nil || again.Name != "my card" {
		t.Errorf("claiming one's own again: %+v, %v", again, err)
	}
	if _, err := s.AddCard(t.Context(), thief.wallet(), second.Claim, ""); !errors.Is(err, ErrTaken) {
		t.Errorf("somebody else claims it: %v", err)
	}
	if _, err := s.ChangeCard(t.Context(), thief.id, one.ID, func(*Card) error { return nil }); !errors.Is(err, wallet.ErrNotFound) {
		t.Errorf("somebody else changes it: %v", err)
	}
	if err := s.RemoveCard(t.Context(), thief.id, one.ID); !errors.Is(err, wallet.ErrNotFound) {
		t.Errorf("somebody else removes it: %v", err)
	}
	late := m.wants(m.tap("gate", numbered(t, 2)), wire.Unknown, "")
	s.clock.Advance(claimLife)
	if _, err := s.AddCard(t.Context(), h.wallet(), late.Claim, ""); !errors.Is(err, ErrCode) {
		t.Errorf("a claim that is over: %v", err)
	}
}

// The attack: a stolen ledger says whose cards were where.
func TestTheLedgerHasNoNumberOfACard(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(5*wallet.Unit)
	shown := numbered(t, 0x77)
	h.claims(m, shown)
	m.wants(m.tap("coffee", shown), wire.Granted, "")
	if err := s.each(t.Context(), "", func(r wallet.Register) error {
		for _, form := range []string{"04010203040577", "BAECAwQFdw", string(shown.UID.Bytes())} {
			if strings.Contains(strings.ToLower(r.Name+r.Value), strings.ToLower(form)) {
				t.Errorf("register %s has the number", r.Name)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// The attack: a kiosk that says whatever it likes of prices, and of itself.
func TestAKioskDoesNotSayThePrice(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(5*wallet.Unit)
	shown := numbered(t, 1)
	h.claims(m, shown)
	for _, price := range []string{"0.10", "1.01", "", "-1", "1e0", "lots"} {
		tap := m.newTap("coffee", shown)
		tap.Price = price
		if v := m.wants(m.send(tap), wire.Refused, wire.PriceChanged); v.Product.Price != "1.00" {
			t.Errorf("the price is %q", v.Product.Price)
		}
	}
	m.wants(m.tap("tea", shown), wire.Refused, wire.NoProduct)
	h.has(5*wallet.Unit, 0)
	long := strings.Repeat("x", 500) + "\n\x00"
	state := wire.State{Version: long, Readers: []wire.Reader{{Name: long, Fault: long}}}
	policy, err := s.Report(t.Context(), m.authenticated(wire.StatePath, state), state)
	if err != nil || len(policy.Products) != 2 || policy.Products[0].Name != "coffee" || policy.Currency != "USD" {
		t.Errorf("the policy is %+v, %v", policy, err)
	}
	all, err := s.Kiosks(t.Context())
	if err != nil || len(all) != 1 || len(all[0].State.Version) != mostText || strings.ContainsAny(all[0].State.Readers[0].Name, "\n\x00") {
		t.Errorf("the kiosk is %+v, %v", all, err)
	}
	many := wire.State{Readers: make([]wire.Reader, mostReaders+1)}
	if _, err := s.Report(t.Context(), all[0], many); !errors.Is(err, ErrInvalid) {
		t.Errorf("any number of readers: %v", err)
	}
}

// A kiosk's register stays small however often it taps: it has a limit.
func TestTheLastTapsOfAKioskAreKept(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(100*wallet.Unit)
	shown := numbered(t, 1)
	h.claims(m, shown)
	long := wire.State{Version: strings.Repeat("ü", 99)}
	for range mostReaders {
		long.Readers = append(long.Readers, wire.Reader{Name: strings.Repeat("ü", 99), Fault: strings.Repeat("\"", 99)})
	}
	if _, err := s.Report(t.Context(), m.authenticated(wire.StatePath, long), long); err != nil {
		t.Fatal(err)
	}
	for range 30 {
		m.tap("gate", shown)
		s.clock.Advance(s.Guard)
	}
	m.authenticated(wire.StatePath, long)
	all, err := s.Kiosks(t.Context())
	if err != nil || len(all[0].Taps) != mostNotes || all[0].Taps[mostNotes-1].Outcome != string(wire.Granted) {
		t.Errorf("the taps are %+v, %v", all, err)
	}
	r, err := s.Ledger.Register(t.Context(), kioskPrefix+"machine")
	if err != nil || !json.Valid([]byte(r.Value)) {
		t.Error(err)
	}
	t.Logf("the register has %d bytes of %d", len(r.Value), wallet.MaxValue)
}

// The attack: a kiosk that taps in the past or the future, where no id is remembered.
func TestATapOfAnotherTimeIsNone(t *testing.T) {
	s := open(t)
	m, h := s.enrol("machine"), s.holder(5*wallet.Unit)
	shown := numbered(t, 1)
	h.claims(m, shown)
	for _, id := range []wallet.OpID{
		{}, {6: 0x70, 8: 0x80},
		ledgertest.NewID(t, func() time.Time { return s.clock.Now().Add(-wallet.ChargeMemory - time.Second) }),
		ledgertest.NewID(t, func() time.Time { return s.clock.Now().Add(wallet.MaxClockSkew + time.Second) }),
	} {
		tap := m.newTap("coffee", shown)
		tap.ID = id
		if _, err := s.Tap(t.Context(), m.authenticated(wire.StatePath, wire.State{}), tap); !errors.Is(err, ErrInvalid) {
			t.Errorf("a tap at %v: %v", id.Time(), err)
		}
	}
	if cards, err := s.Cards(t.Context(), h.id); err != nil || cards[0].Spent != 0 {
		t.Errorf("the card has spent %+v, %v", cards, err)
	}
	h.has(5*wallet.Unit, 0)
}
