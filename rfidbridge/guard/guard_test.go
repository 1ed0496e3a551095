package guard

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var ann, bob = Subject{1}, Subject{2}

// kiosk is a guard, and a clock.
type kiosk struct {
	*testing.T
	Guard
	now  time.Time
	taps int
}

func at(t *testing.T, window time.Duration) *kiosk {
	return &kiosk{T: t, Guard: Guard{Window: window}, now: time.Unix(1_000_000, 0)}
}

func (k *kiosk) after(d time.Duration) { k.now = k.now.Add(d) }

// taps judges a card that lies there, and carries out what is new.
func (k *kiosk) tap(who Subject, product string, more, granted bool) (Verdict, string) {
	v, tap := k.Judge(who, product, more, k.now)
	if v == New {
		k.taps++
		tap = fmt.Sprint("tap ", k.taps)
		k.Ended(who, product, tap, granted)
	}
	return v, tap
}

func (k *kiosk) wants(what string, want Verdict, who Subject, product string) string {
	k.Helper()
	v, tap := k.tap(who, product, false, true)
	if v != want {
		k.Errorf("%s: it is %d, want %d", what, v, want)
	}
	return tap
}

func TestACardThatStillLiesTherePaysOnce(t *testing.T) {
	for _, window := range []time.Duration{0, 2 * time.Second} {
		k := at(t, window)
		k.Arrive()
		first := k.wants("a card", New, ann, "coffee")
		for range 100 {
			k.after(time.Minute)
			if tap := k.wants("still there", Again, ann, "coffee"); tap != first {
				t.Errorf("it is shown what came of %q, want %q", tap, first)
			}
		}
	}
}

func TestAnImpatientTapIsTheSamePurchase(t *testing.T) {
	k := at(t, 2*time.Second)
	k.Arrive()
	first := k.wants("a card", New, ann, "gate")
	for range 10 {
		k.Leave(k.now)
		k.after(1500 * time.Millisecond)
		k.Arrive()
		if tap := k.wants("impatience", Again, ann, "gate"); tap != first {
			t.Errorf("it is shown what came of %q", tap)
		}
	}
	k.Leave(k.now)
	k.after(2 * time.Second)
	k.Arrive()
	k.wants("after the window", New, ann, "gate")
}

func TestASecondPurchaseThatIsMeantIsOne(t *testing.T) {
	k := at(t, 5*time.Second)
	k.Arrive()
	k.wants("a coffee", New, ann, "coffee")
	k.wants("a tea", New, ann, "tea")
	if v, _ := k.tap(ann, "tea", true, true); v != New {
		t.Errorf("one more tea is %d", v)
	}
	k.wants("still there", Again, ann, "tea")
}

func TestASecondPersonIsNotTheFirst(t *testing.T) {
	k := at(t, 5*time.Second)
	k.Arrive()
	k.wants("the first", New, ann, "gate")
	k.Leave(k.now)
	k.Arrive()
	k.wants("the second", New, bob, "gate")
	k.Leave(k.now)
	k.Arrive()
	k.wants("the first again", New, ann, "gate")
}

// The attack: a second card that is held to a reader while the first one lies there, so that
// its owner pays, who walks by.
func TestTwoCardsPayNothing(t *testing.T) {
	k := at(t, 2*time.Second)
	k.Arrive()
	k.wants("the first", New, ann, "gate")
	k.wants("another beside it", TwoCards, bob, "gate")
	k.wants("the first again", Again, ann, "gate")
	k.Leave(k.now)
	k.Arrive()
	k.wants("the other alone", New, bob, "gate")
}

func TestARefusalKeepsNobodyFromTryingAgain(t *testing.T) {
	k := at(t, time.Hour)
	k.Arrive()
	for range 3 {
		if v, _ := k.tap(ann, "gate", false, false); v != New {
			t.Errorf("after a refusal it is %d", v)
		}
	}
	k.Leave(k.now)
	k.Arrive()
	k.wants("after a refusal", New, ann, "gate")
	k.wants("then", Again, ann, "gate")
}

// Whatever happens, nobody pays twice for a product within one presence, unless they ask
// for one more, and never within the window after it.
func TestNobodyPaysTwiceByChance(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const window = 2 * time.Second
	k := at(t, window)
	there := false
	var paid struct {
		who     Subject
		product string
		at      time.Time // when its card was last seen there
	}
	for range 100_000 {
		k.after(time.Duration(random.IntN(3000)) * time.Millisecond)
		if !there {
			k.Arrive()
			there = true
		} else if random.IntN(3) == 0 {
			k.Leave(k.now)
			there = false
			continue
		}
		who, product := []Subject{ann, bob}[random.IntN(2)], []string{"coffee", "tea"}[random.IntN(2)]
		before := k.taps
		granted := random.IntN(4) > 0
		v, _ := k.tap(who, product, false, granted)
		if v == New && paid.who == who && paid.product == product && k.now.Sub(paid.at) < window {
			t.Fatalf("paid twice for %s within %v", product, k.now.Sub(paid.at))
		}
		switch {
		case v == New && granted, v == Again:
			paid.who, paid.product, paid.at = who, product, k.now
		case v == New:
			paid.who = Subject{}
		}
		if (k.taps > before) != (v == New) {
			t.Fatal("what is not new was carried out")
		}
	}
}
