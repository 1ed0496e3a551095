package wallet

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestATokenSaysWhatWasMinted(t *testing.T) {
	ring := testRing(t)
	for name, change := range map[string]func(*Claims){
		"as it is":            func(*Claims) {},
		"no price limit":      func(c *Claims) { c.MaxPrice = 0 },
		"the finest limit":    func(c *Claims) { c.MaxPrice = 1 },
		"the largest limit":   func(c *Claims) { c.MaxPrice = MaxAmount },
		"the last generation": func(c *Claims) { c.Generation = 1<<32 - 1 },
		"a second":            func(c *Claims) { c.Expires = c.Issued.Add(time.Second) },
		"another time zone":   func(c *Claims) { c.Issued = c.Issued.In(time.FixedZone("", 3600)) },
	} {
		claims := testClaims(t)
		change(&claims)
		token := must(ring.Mint(claims))(t)
		claims.Issued = claims.Issued.UTC()
		for _, turn := range []string{"new", "cached"} {
			if got := must(ring.Verify(token, noon))(t); got != claims {
				t.Errorf("%s, %s: got %+v, want %+v", name, turn, got, claims)
			}
		}
		if len(token) > 500 {
			t.Errorf("%s: a token of %d bytes", name, len(token))
		}
	}
}

func TestATokenCountsWholeSeconds(t *testing.T) {
	ring := testRing(t)
	claims := testClaims(t)
	claims.Issued = claims.Issued.Add(999 * time.Millisecond)
	claims.Expires = claims.Expires.Add(999 * time.Millisecond)
	if got := must(ring.Verify(must(ring.Mint(claims))(t), noon))(t); got != testClaims(t) {
		t.Errorf("got %+v, want %+v", got, testClaims(t))
	}
}

func TestWhatCouldNotBeVerifiedIsNotMinted(t *testing.T) {
	ring := testRing(t)
	for name, change := range map[string]func(*Claims){
		"no wallet":                 func(c *Claims) { c.Wallet = WalletID{} },
		"generation 0":              func(c *Claims) { c.Generation = 0 },
		"a negative limit":          func(c *Claims) { c.MaxPrice = -1 },
		"a limit above all amounts": func(c *Claims) { c.MaxPrice = MaxAmount + 1 },
		"no times":                  func(c *Claims) { c.Issued, c.Expires = time.Time{}, time.Time{} },
		"no expiry":                 func(c *Claims) { c.Expires = time.Time{} },
		"expiry at issue":           func(c *Claims) { c.Expires = c.Issued },
		"expiry after year 9999":    func(c *Claims) { c.Expires = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a longer life":             func(c *Claims) { c.Expires = c.Issued.Add(testLifetime + time.Second) },
	} {
		claims := testClaims(t)
		change(&claims)
		if token, err := ring.Mint(claims); err == nil || token != "" {
			t.Errorf("%s: minted %q, %v", name, token, err)
		}
	}
	wide := must(NewKeyring(strings.Repeat("\x01", maxPaywallName), testLifetime, noon, seeded(1)))(t)
	if token, err := wide.Mint(testClaims(t)); err != nil || len(token) > MaxToken {
		t.Errorf("the longest name: a token of %d bytes, %v", len(token), err)
	}
}

func TestATokenIsGoodFromItsIssueToItsExpiryAndALeeway(t *testing.T) {
	minter := testRing(t)
	claims := testClaims(t)
	token := must(minter.Mint(claims))(t)
	warm := must(ParseKeyring(minter.Text(), testPaywall, testLifetime))(t)
	_ = must(warm.Verify(token, noon))(t)
	if !warm.remembers(token) {
		t.Fatal("a verified token is not cached")
	}
	for _, c := range []struct {
		at   time.Time
		want error
	}{
		{claims.Issued.Add(-tokenLeeway - 1), errTokenEarly},
		{claims.Issued.Add(-tokenLeeway), nil},
		{claims.Issued, nil},
		{claims.Expires, nil},
		{claims.Expires.Add(tokenLeeway - 1), nil},
		{claims.Expires.Add(tokenLeeway), ErrTokenExpired},
		{claims.Expires.Add(1000 * time.Hour), ErrTokenExpired},
		{time.Time{}, errTokenEarly},
	} {
		cold := must(ParseKeyring(minter.Text(), testPaywall, testLifetime))(t)
		for name, ring := range map[string]*Keyring{"new": cold, "cached": warm} {
			got, err := ring.Verify(token, c.at)
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%s, at %v: got error %v, want %v", name, c.at, err, c.want)
			}
			if err != nil && got != (Claims{}) {
				t.Errorf("%s, at %v: claims came with the error", name, c.at)
			}
		}
		if c.want != nil && cold.remembers(token) {
			t.Errorf("at %v: a refused token is cached", c.at)
		}
	}
}

func TestEveryRefusalIsErrToken(t *testing.T) {
	for _, err := range []error{
		ErrTokenExpired, errTokenLong, errTokenMalformed, errTokenHeader, errTokenKey, errTokenSignature,
		errTokenIssuer, errTokenAudience, errTokenEarly, errTokenClaims,
	} {
		if !errors.Is(err, ErrToken) {
			t.Errorf("%v does not wrap ErrToken", err)
		}
		if err != ErrTokenExpired && errors.Is(err, ErrTokenExpired) {
			t.Errorf("%v passes for an expiry", err)
		}
	}
}

// An edge may answer "your token has expired, make a new one" only to somebody
// who had a genuine one.
func TestOnlyAGenuineTokenHasExpired(t *testing.T) {
	f := newForger(t)
	expired := object{"exp": noon.Add(-time.Hour).Unix(), "iat": noon.Add(-2 * time.Hour).Unix()}
	if _, err := f.ring.Verify(f.genuine(t, expired), noon); !errors.Is(err, ErrTokenExpired) {
		t.Fatalf("a genuine one: got error %v", err)
	}
	stranger := newForger(t)
	stranger.private[0] ^= 1
	for name, token := range map[string]string{
		"of a foreign key":      stranger.genuine(t, expired),
		"for another paywall":   f.genuine(t, object{"aud": "other.example", "exp": expired["exp"]}),
		"from another program":  f.genuine(t, object{"iss": "other", "exp": expired["exp"]}),
		"without audience":      f.genuine(t, object{"aud": nil, "exp": expired["exp"]}),
		"without a good body":   f.signed(segment(t, f.header(nil)), segment(t, "text")),
		"with a changed header": f.token(t, f.header(object{"crit": []string{"exp"}}), f.body(expired)),
	} {
		if _, err := f.ring.Verify(token, noon); !errors.Is(err, ErrToken) || errors.Is(err, ErrTokenExpired) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func BenchmarkMint(b *testing.B) {
	ring, claims := testRing(b), testClaims(b)
	b.ReportAllocs()
	for b.Loop() {
		_ = must(ring.Mint(claims))(b)
	}
}

func BenchmarkVerifyAnUnknownToken(b *testing.B) {
	ring := testRing(b)
	token := must(ring.Mint(testClaims(b)))(b)
	b.ReportAllocs()
	for b.Loop() {
		ring.verified = newTokenCache()
		_ = must(ring.Verify(token, noon))(b)
	}
}
