package kiosk

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/offline"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// cutOff is a shop with a kiosk that has met a card of a holder, whose network is down now.
func cutOff(t *testing.T, amount wallet.Amount) (*lobby, *holder, *virtual.NTAG) {
	s, m := offlineShop(t)
	h := s.holder(amount)
	n := h.signing(m, 1)
	l := newLobby(m.machine)
	l.tends()
	l.wantsEnd(l.layNTAG(n), tap.Paid, false)
	l.tends()
	l.down = true
	s.clock.Advance(time.Minute)
	return l, h, n
}

func TestAKioskThatIsCutOffGoesOn(t *testing.T) {
	l, h, n := cutOff(t, 11*wallet.Unit)
	h.has(5*wallet.Unit, 5*wallet.Unit)
	for range 7 { // five of the lease, and two without
		l.wantsEnd(l.layNTAG(n), tap.Paid, true)
	}
	l.wantsEnd(l.layNTAG(n), tap.Offline, false)
	if n.Failures() > 0 {
		t.Errorf("the card counts %d wrong tries", n.Failures())
	}
	l.start() // and after it was switched off
	l.tends()
	l.wantsEnd(l.layNTAG(n), tap.Offline, false)
	l.down = false
	l.tends()
	h.has(3*wallet.Unit, 0)
	l.wantsEnd(l.layNTAG(n), tap.Paid, false)
	l.tends()
	h.has(wallet.Unit, wallet.Unit)
	l.down = true
	l.wantsEnd(l.layNTAG(n), tap.Paid, true)
	l.down = false
	l.tends()
	if flags := l.flags(Kiosk{Name: l.name, Key: l.authorityKey()}); strings.Contains(flags, "{") {
		t.Errorf("an honest kiosk is flagged: %s", flags)
	}
}

func TestWhatDoesNotOpenOfflineIsNotPaid(t *testing.T) {
	l, h, n := cutOff(t, 11*wallet.Unit)
	l.opens = actuator.Refused
	l.wantsEnd(l.layNTAG(n), tap.NotOpened, false)
	l.opens = actuator.Done
	l.wantsEnd(l.layNTAG(n), tap.Paid, true)
	l.down = false
	l.tends()
	h.has(9*wallet.Unit, 0)
}

// The attack: a card that was blocked goes on at a kiosk that is cut off. It pays until the
// kiosk has heard of it, and no more.
func TestABlockedCardIsRefusedOffline(t *testing.T) {
	l, h, n := cutOff(t, 11*wallet.Unit)
	l.wantsEnd(l.layNTAG(n), tap.Paid, true)
	cards, err := l.Cards(t.Context(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.ChangeCard(t.Context(), h.id, cards[0].ID, func(one *Card) error { one.Blocked = true; return nil }); err != nil {
		t.Fatal(err)
	}
	l.down = false
	l.tends()
	l.down = true
	for range 2 {
		if r := l.layNTAG(n); r.Kind != tap.Refused || r.Reason != wire.Blocked {
			t.Errorf("a blocked card is %+v", r)
		}
		l.start()
	}
}

// The attack: the number of a card is written onto another, which is tapped at a kiosk that
// is cut off; or a card of that kind that has another key.
func TestACopiedCardPaysNothingOffline(t *testing.T) {
	l, _, n := cutOff(t, 11*wallet.Unit)
	number := n.UID()
	forged := virtual.NewNTAG(number, card.Bolt(card.Key{9}, number, keyVersion).Keys, "https://shop.example/?")
	if r := l.layNTAG(forged); r.Kind != tap.Refused || r.Reason != wire.Forged {
		t.Errorf("a forged card is %+v", r)
	}
	if r := l.lays(wire.Card{UID: uidOf(t, n)}, nil); r.Kind != tap.Refused || r.Reason != wire.ProofNeeded {
		t.Errorf("its number alone is %+v", r)
	}
	l.wantsEnd(l.layNTAG(l.ntag(2)), tap.Offline, false) // a card that was never here
}

// A card that draws its number anew cannot be told without the paywall.
func TestACardThatHidesItsNumberPaysOnlineAlone(t *testing.T) {
	s, m := offlineShop(t)
	h := s.holder(10 * wallet.Unit)
	n := h.signing(m, 1)
	n.HideUID()
	l := newLobby(m.machine)
	l.tends()
	l.wantsEnd(l.layNTAG(n), tap.Paid, false)
	l.tends()
	h.has(9*wallet.Unit, 0)
	l.down = true
	l.wantsEnd(l.layNTAG(n), tap.Offline, false)
}

// The attack: the clock is turned back so that a lease lasts, or the kiosk is started without
// a network so that it knows no better.
func TestAClockThatIsTurnedBackGainsNothing(t *testing.T) {
	l, _, n := cutOff(t, 11*wallet.Unit)
	l.lied = -48 * time.Hour
	l.wantsEnd(l.layNTAG(n), tap.Paid, true) // the paywall's time and what has passed since
	l.clock.Advance(11 * time.Hour)
	l.wantsEnd(l.layNTAG(n), tap.Paid, true)
	l.start()
	l.wantsEnd(l.layNTAG(n), tap.Offline, false) // earlier than what was written down
	l.lied = 0
	l.start()
	l.wantsEnd(l.layNTAG(n), tap.Paid, true) // plausible: from the lease
	for range 2 {
		l.wantsEnd(l.layNTAG(n), tap.Paid, true)
	}
	l.wantsEnd(l.layNTAG(n), tap.Offline, false) // and nothing without
	l.clock.Advance(2 * time.Hour)
	l.wantsEnd(l.layNTAG(n), tap.Offline, false)
}

// The bounds of time: without a lease a kiosk goes on for so long only, and without news of
// denied cards not at all.
func TestAKioskGoesOnForAWhile(t *testing.T) {
	for _, c := range []struct {
		lease wallet.Amount
		after time.Duration
		want  tap.Kind
	}{{0, 11 * time.Hour, tap.Paid}, {0, 13 * time.Hour, tap.Offline}, {5 * wallet.Unit, 13 * time.Hour, tap.Offline}} {
		s, m := offlineShop(t)
		s.Offline.Lease = c.lease
		n := s.holder(10*wallet.Unit).signing(m, 1)
		l := newLobby(m.machine)
		l.tends()
		l.layNTAG(n)
		l.tends()
		l.down = true
		s.clock.Advance(c.after)
		l.wantsEnd(l.layNTAG(n), c.want, c.want == tap.Paid)
	}
	l, _, n := cutOff(t, 11*wallet.Unit)
	l.Offline.Denied = time.Hour
	l.down = false
	l.tends()
	l.down = true
	l.wantsEnd(l.layNTAG(n), tap.Paid, true)
	l.clock.Advance(2 * time.Hour)
	l.wantsEnd(l.layNTAG(n), tap.Offline, false)
}

// The attack: what a kiosk knows of cards is copied to another machine, or altered.
func TestACopiedFileOfCardsIsWorthNothing(t *testing.T) {
	l, _, _ := cutOff(t, 11*wallet.Unit)
	text, err := os.ReadFile(filepath.Join(l.dir, "offline"))
	if err != nil {
		t.Fatal(err)
	}
	other := &lobby{machine: l.enrol("other"), dir: t.TempDir()}
	read := func(key *machine, text []byte) error {
		path := filepath.Join(other.dir, "offline")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := offline.New(offline.Options{Path: path, Key: key.private, Paywall: other, Now: time.Now, Since: func() time.Duration { return 0 }})
		return err
	}
	if err := read(l.machine, text); err != nil {
		t.Errorf("its own machine does not read it: %v", err)
	}
	if err := read(other.machine, text); !errors.Is(err, offline.ErrState) {
		t.Errorf("another machine reads it: %v", err)
	}
	text[len(text)/2] ^= 1
	if err := read(l.machine, text); !errors.Is(err, offline.ErrState) {
		t.Errorf("altered it is read: %v", err)
	}
}

// The answer of the paywall is lost after it has granted a tap, and the kiosk opens by
// itself: it is paid once, and nothing stays aside.
func TestALostGrantIsPaidOnce(t *testing.T) {
	l, h, n := cutOff(t, 11*wallet.Unit)
	l.down = false
	left := 1
	l.lose = func() lost {
		if left--; left == 0 {
			return nothing // it asks the card first
		}
		return answer
	}
	l.wantsEnd(l.layNTAG(n), tap.Paid, true)
	l.lose = func() lost { return nothing }
	l.tends()
	h.has(9*wallet.Unit, 0)
}

// A kiosk whose records are not whole is enrolled anew: what it had granted before cannot be
// paid any more, and it goes on.
func TestAKioskThatIsEnrolledAnewGoesOn(t *testing.T) {
	l, h, n := cutOff(t, 11*wallet.Unit)
	l.wantsEnd(l.layNTAG(n), tap.Paid, true)
	l.machine = l.enrol(l.name)
	if err := os.Remove(filepath.Join(l.dir, "offline")); err != nil {
		t.Fatal(err)
	}
	l.start()
	l.down = false
	l.tends()
	l.clock.Advance(l.Offline.LeaseFor + leaseGrace)
	h.has(10*wallet.Unit, 0)
	l.wantsEnd(l.layNTAG(n), tap.Paid, false)
	l.tends()
	l.down = true
	l.wantsEnd(l.layNTAG(n), tap.Paid, true)
	l.down = false
	l.tends()
	h.has(8*wallet.Unit, 0)
}

// The kiosk loses power at every step of an offline tap and of what follows, and answers get
// lost besides: what has opened is paid once but where nobody can know it, and nobody pays
// without.
func TestPowerMayBeLostAtAnyStepOffline(t *testing.T) {
	t.Parallel() // it waits for the disk
	for _, fate := range []lost{nothing, answer} {
		for at := 1; ; at++ {
			l, h, n := cutOff(t, 11*wallet.Unit)
			before := len(l.opened)
			l.crashAt = l.steps + at
			crashed := l.until(func() {
				l.layNTAG(n)
				l.down = false
				lose := true
				l.lose = func() lost {
					if lose = !lose; lose {
						return fate
					}
					return nothing
				}
				l.tends()
				l.tends()
			})
			l.crashAt, l.down, l.lose = 0, false, func() lost { return nothing }
			l.start()
			l.tends()
			l.tends()
			l.clock.Advance(l.Offline.LeaseFor + leaseGrace + time.Hour)
			opened, w := wallet.Amount(len(l.opened)-before)*wallet.Unit, h.wallet()
			if paid := 10*wallet.Unit - w.Available; w.Held != 0 || paid > opened || !crashed && paid != opened {
				t.Fatalf("crash at %d, %d lost: paid %v, opened %v, held %v", at, fate, paid, opened, w.Held)
			}
			if !crashed {
				if at < 20 {
					t.Errorf("there are %d steps: too few to prove anything", at)
				}
				break
			}
			l.tends()
			l.wantsEnd(l.layNTAG(n), tap.Paid, false) // and it goes on
			l.tends()
		}
	}
}

// Whatever comes in whatever order (taps online and offline, a network that loses questions
// and answers, crashes at any step, a jammed machine, a holder who spends elsewhere and tops
// up): each product that was handed out is paid once or owed once, none is paid that was not,
// and the books add up.
func TestEveryProductIsPaidOnceWhateverHappens(t *testing.T) {
	t.Parallel() // it waits for the disk
	alone := 0
	for round := range 6 { // the first two lose no power while they open: they must be exact
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		l, h, n := cutOff(t, 6*wallet.Unit)
		l.down = false
		plain := numbered(t, 9) // another card of the same wallet
		h.opens(h.claims(l.machine, plain))
		l.captures = random.IntN(2) == 0
		l.start()
		spent, funded, crashes := wallet.Amount(0), 6*wallet.Unit, wallet.Amount(0)
		l.lose = func() lost {
			if random.IntN(4) > 0 {
				return nothing
			}
			return lost(1 + random.IntN(2))
		}
		for range 60 {
			l.down = random.IntN(3) == 0
			what := random.IntN(3)
			if l.crashAt = 0; random.IntN(4) == 0 && (what > 0 || round > 1) {
				l.crashAt = l.steps + 1 + random.IntN(20)
			}
			l.opens = []actuator.Outcome{actuator.Done, actuator.Done, actuator.Done, actuator.Refused}[random.IntN(4)]
			if l.until(func() {
				switch what {
				case 0:
					lay := func() tap.Result { return l.layNTAG(n) }
					if random.IntN(3) == 0 {
						lay = func() tap.Result { return l.lays(plain, nil) }
					}
					if lay().Alone {
						l.alone++
					}
				case 1:
					l.tends()
				default:
					most := time.Second
					if l.desk.Oldest().IsZero() { // no grant of the paywall's runs out meanwhile
						most = 20 * time.Minute
					}
					l.clock.Advance(time.Duration(random.IntN(int(most))))
				}
			}) {
				if what == 0 {
					crashes += wallet.Unit
				}
				l.crashAt = 0
				l.start()
			}
			switch random.IntN(12) {
			case 0:
				spent += h.spends(wallet.Unit)
			case 1:
				h.tops(wallet.Unit)
				funded += wallet.Unit
			}
		}
		l.crashAt, l.down, l.lose = 0, false, func() lost { return nothing }
		for range 3 {
			l.tends()
		}
		l.clock.Advance(l.Offline.LeaseFor + leaseGrace + time.Hour)
		owed := wallet.Amount(0)
		debts, err := l.Debts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range debts {
			owed += d.Amount
		}
		w := h.wallet()
		paid, opened := funded-spent-w.Available+owed, wallet.Amount(len(l.opened))*wallet.Unit
		least, most := opened-crashes, opened
		if l.captures {
			least, most = opened, opened+crashes
		}
		least -= wallet.Amount(len(l.expired)) * wallet.Unit
		if w.Held != 0 || paid > most || paid < least {
			t.Errorf("paid or owed %v, opened %v, want %v to %v; held %v", paid, opened, least, most, w.Held)
		}
		if flags := l.flags(Kiosk{Name: l.name, Key: l.authorityKey()}); strings.Contains(flags, "{") {
			t.Errorf("an honest kiosk is flagged: %s", flags)
		}
		if alone += l.alone; len(l.expired) > 0 {
			t.Errorf("%d of the paywall's grants ran out: too little is proved", len(l.expired))
		}
	}
	if alone < 6 {
		t.Errorf("%d taps were the kiosk's own: too little is proved", alone)
	}
}

// A card of each kind that is made at a desk proves itself to a kiosk that is cut off, with
// the key that is for that.
func TestACardOfEachKindPaysOffline(t *testing.T) {
	s, m := offlineShop(t)
	s.Offline.Proof = TierMutual
	desk, h := s.enrolAs("desk", true), s.holder(50*wallet.Unit)
	l := newLobby(m.machine)
	l.tends()
	ntag, desfire, old, ultralight := blankNTAG(), virtual.NewDESFire(card.UID{0x04, 8, 8, 8, 8, 8, 8}, virtual.EV2),
		virtual.NewDESFire(card.UID{0x04, 8, 8, 8, 8, 8, 1}, virtual.EV1), virtual.NewUltralight(card.UID{0x04, 9, 9, 9, 9, 9, 9})
	for name, c := range map[string]struct {
		kind   card.Kind
		number card.UID
		to     func([]byte) []byte
		shown  func() wire.Card
	}{
		"NTAG 424 DNA":   {card.KindNTAG424, ntag.UID(), ntag.Transmit, func() wire.Card { return message(ntag) }},
		"DESFire EV2":    {card.KindDESFire, desfire.UID(), desfire.Transmit, func() wire.Card { return byUID(t, desfire.UID(), card.KindDESFire) }},
		"DESFire EV1":    {card.KindDESFire, old.UID(), old.Transmit, func() wire.Card { return byUID(t, old.UID(), card.KindDESFire) }},
		"Ultralight AES": {card.KindUltralight, ultralight.UID(), ultralight.Frame, func() wire.Card { return byUID(t, ultralight.UID(), card.KindUltralight) }},
	} {
		desk.issued(wire.Personalise, c.kind, c.number, c.to)
		one, err := h.AddCard(t.Context(), h.wallet(), desk.talk("gate", c.shown(), c.to).Claim, "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		h.opens(one)
		exchange := func(command []byte) ([]byte, error) { return c.to(command), nil }
		l.down = false
		l.wantsEnd(l.carries(c.shown(), exchange), tap.Paid, false)
		l.tends()
		l.down = true
		s.clock.Advance(time.Minute)
		if r := l.carries(c.shown(), exchange); r.Kind != tap.Paid || !r.Alone {
			t.Errorf("%s: offline it is %+v", name, r)
		}
		l.down = false
		l.tends()
	}
	if n := ntag.Failures() + desfire.Failures() + old.Failures() + ultralight.Failures(); n > 0 {
		t.Errorf("the cards count %d wrong tries", n)
	}
	if w := h.wallet(); w.Available+w.Held != 42*wallet.Unit {
		t.Errorf("of 50.00 %v is left after eight taps", w.Available+w.Held)
	}
}
