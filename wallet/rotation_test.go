package wallet

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestATokenSurvivesRotationUntilItExpires(t *testing.T) {
	first := testRing(t)
	claims := testClaims(t)
	old := must(first.Mint(claims))(t)
	replaced := noon.Add(24 * time.Hour)
	second := must(first.Rotate(replaced, seeded(2)))(t)

	claims.Issued, claims.Expires = replaced, replaced.Add(testLifetime)
	young := must(second.Mint(claims))(t)
	if _, err := first.Verify(young, replaced); !errors.Is(err, errTokenKey) {
		t.Errorf("the ring before the rotation: got error %v, want %v", err, errTokenKey)
	}
	for _, token := range []string{old, young} {
		if _, err := second.Verify(token, replaced); err != nil {
			t.Errorf("after the rotation: %v", err)
		}
	}
	if second.Created() != replaced || first.Created() != noon {
		t.Errorf("created %v and %v, want %v and %v", first.Created(), second.Created(), noon, replaced)
	}
	if _, err := second.Verify(old, noon.Add(testLifetime)); err != nil {
		t.Errorf("at its last instant: %v", err)
	}
}

// A key is dropped a lifetime after it was replaced, not after it was made:
// its last token may be as young as its successor.
func TestAReplacedKeyVerifiesForALifetimeAndIsThenDropped(t *testing.T) {
	inUse := 10 * testLifetime
	first := testRing(t)
	replaced := noon.Add(inUse)
	claims := testClaims(t)
	claims.Issued, claims.Expires = replaced, replaced.Add(testLifetime)
	last := must(first.Mint(claims))(t)
	second := must(first.Rotate(replaced, seeded(2)))(t)
	end := replaced.Add(testLifetime + tokenLeeway)

	kept := must(second.Rotate(end.Add(-time.Second), seeded(3)))(t)
	if len(kept.keys) != 3 {
		t.Fatalf("a second before the end: %d keys, want 3", len(kept.keys))
	}
	if _, err := kept.Verify(last, end.Add(-time.Second)); err != nil {
		t.Errorf("a second before the end: %v", err)
	}
	dropped := must(second.Rotate(end, seeded(3)))(t)
	if len(dropped.keys) != 2 || strings.Contains(string(dropped.JWKS()), first.keys[0].id) || strings.Contains(dropped.Text(), first.keys[0].id) {
		t.Errorf("at the end: %d keys, want 2 without the first", len(dropped.keys))
	}
	if _, err := dropped.Verify(last, end.Add(-time.Second)); !errors.Is(err, errTokenKey) {
		t.Errorf("by a ring without its key: got error %v, want %v", err, errTokenKey)
	}
}

// Requests under way go on with the ring they have.
func TestRotationLeavesTheOldRingAsItWas(t *testing.T) {
	first := testRing(t)
	second := must(first.Rotate(noon, seeded(2)))(t)
	end := noon.Add(testLifetime + tokenLeeway)
	before := second.Text()
	if third := must(second.Rotate(end, seeded(3)))(t); len(third.keys) != 2 {
		t.Fatalf("%d keys, want 2: the first is due", len(third.keys))
	}
	if second.Text() != before || len(second.keys) != 2 {
		t.Errorf("the ring is\n%s\nand was\n%s", second.Text(), before)
	}
	for _, ring := range []*Keyring{first, second} {
		claims := testClaims(t)
		claims.Issued, claims.Expires = end, end.Add(testLifetime)
		if _, err := ring.Verify(must(ring.Mint(claims))(t), end); err != nil {
			t.Errorf("%v: %v", ring, err)
		}
	}
}

// Whoever steals a replaced key could sign a token that lasts for ever: the
// key ends, cached or not, even if nobody ever rotates again.
func TestAReplacedKeyEndsWithoutAnotherRotation(t *testing.T) {
	f := newForger(t)
	seed := f.private.Seed()
	stolen := must(newSigningKey(seed, noon))(t)
	ring := must(newRing(testPaywall, testLifetime, []*signingKey{stolen}))(t)
	replaced := noon.Add(time.Hour)
	ring = must(ring.Rotate(replaced, seeded(2)))(t)
	forged := f.genuine(t, object{"exp": noon.Add(100 * testLifetime).Unix()})
	end := replaced.Add(testLifetime + tokenLeeway)
	if _, err := ring.Verify(forged, end.Add(-1)); err != nil {
		t.Fatalf("before the end: %v", err)
	}
	if !ring.remembers(forged) {
		t.Fatal("not cached")
	}
	fresh := must(ParseKeyring(ring.Text(), testPaywall, testLifetime))(t)
	for name, r := range map[string]*Keyring{"cached": ring, "new": fresh} {
		if _, err := r.Verify(forged, end); !errors.Is(err, errTokenKey) {
			t.Errorf("%s: got error %v, want %v", name, err, errTokenKey)
		}
	}
	if fresh.remembers(forged) {
		t.Error("a token of an ended key is cached")
	}
}

func TestACachedTokenDoesNotOutliveItsKey(t *testing.T) {
	first, other := testRing(t), must(NewKeyring(testPaywall, testLifetime, noon, seeded(2)))(t)
	token := must(first.Mint(testClaims(t)))(t)
	_ = must(first.Verify(token, noon))(t)
	both := must(newRing(testPaywall, testLifetime, append(other.keys, first.keys...)))(t)
	_ = must(both.Verify(token, noon))(t)
	without := must(newRing(testPaywall, testLifetime, both.keys[:1]))(t)
	if _, err := without.Verify(token, noon); !errors.Is(err, errTokenKey) {
		t.Errorf("got error %v, want %v", err, errTokenKey)
	}
}

// However often keys rotate, a reader's token works until it expires and never
// after (the leeway apart).
func TestNoScheduleOfRotationsCutsATokenShort(t *testing.T) {
	type minted struct {
		token   string
		expires time.Time
	}
	rapid.Check(t, func(t *rapid.T) {
		const lifetime = 100 * time.Second
		now, seed := noon, byte(0)
		ring, err := NewKeyring(testPaywall, lifetime, now, seeded(seed))
		if err != nil {
			t.Fatal(err)
		}
		var tokens []minted
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60_000).Draw(t, "pass")) * time.Millisecond)
			if rapid.Bool().Draw(t, "rotate") {
				seed++
				if ring, err = ring.Rotate(now, seeded(seed)); err != nil {
					t.Fatal(err)
				}
				if ring, err = ParseKeyring(ring.Text(), testPaywall, lifetime); err != nil {
					t.Fatal(err)
				}
			}
			token, err := ring.Mint(Claims{Wallet: WalletID{1}, Generation: 1, Issued: now, Expires: now.Add(lifetime)})
			if err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, minted{token, now.Truncate(time.Second).Add(lifetime)})
			for _, m := range tokens {
				_, err := ring.Verify(m.token, now)
				if now.Before(m.expires) && err != nil {
					t.Fatalf("refused %v before its end: %v", m.expires.Sub(now), err)
				}
				if !now.Before(m.expires.Add(tokenLeeway)) && err == nil {
					t.Fatalf("accepted %v after its end", now.Sub(m.expires))
				}
			}
		}
	})
}

func TestARotationThatCannotBeIsRefusedAndChangesNothing(t *testing.T) {
	ring := testRing(t)
	before := ring.Text()
	if _, err := ring.Rotate(noon.Add(-time.Second), seeded(2)); !errors.Is(err, ErrKeyring) || !strings.Contains(err.Error(), "check the clock") {
		t.Errorf("a clock that went back: got error %v", err)
	}
	if _, err := ring.Rotate(noon, seeded(1)); !errors.Is(err, ErrKeyring) {
		t.Errorf("the same key again: got error %v", err)
	}
	if _, err := ring.Rotate(noon, strings.NewReader("short")); err == nil {
		t.Error("a source that ends early made a key")
	}
	if _, err := ring.Rotate(noon, strings.NewReader(strings.Repeat("\x00", 32))); !errors.Is(err, ErrKeyring) {
		t.Errorf("a broken source of randomness: got error %v", err)
	}
	if ring.Text() != before {
		t.Error("the ring changed")
	}
	crowded := ring
	for i := range maxKeys - 1 {
		crowded = must(crowded.Rotate(noon, seeded(byte(2+i))))(t)
	}
	if _, err := crowded.Rotate(noon, seeded(0)); !errors.Is(err, ErrKeyring) {
		t.Errorf("more than %d keys: got error %v", maxKeys, err)
	}
	if _, err := newForger(t).ring.Rotate(noon, seeded(2)); !errors.Is(err, ErrKeyring) {
		t.Errorf("an operator's keys: got error %v", err)
	}
}
