package wallet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// assertRefused verifies that a token is refused for the reason it should be,
// twice (the second time could be a cached mistake), in words that do not
// repeat it, and that a genuine token of the same making is accepted: else the
// test would pass with any broken forgery.
func (f forger) assertRefused(t *testing.T, token string, want error) {
	t.Helper()
	_ = must(f.ring.Verify(f.genuine(t, nil), noon))(t)
	for range 2 {
		claims, err := f.ring.Verify(token, noon)
		if !errors.Is(err, want) || !errors.Is(err, ErrToken) {
			t.Fatalf("got error %v, want %v", err, want)
		}
		if claims != (Claims{}) {
			t.Fatalf("claims came with the error: %+v", claims)
		}
		if holdsPart(err.Error(), token) {
			t.Fatalf("the error repeats the token: %v", err)
		}
	}
	if f.ring.remembers(token) {
		t.Fatal("a refused token is cached")
	}
}

func TestAttackAlgorithmNone(t *testing.T) {
	f := newForger(t)
	body := segment(t, f.body(nil))
	for _, alg := range []string{"none", "None", "NONE"} {
		header := segment(t, f.header(object{"alg": alg}))
		f.assertRefused(t, f.signed(header, body), ErrToken)
		f.assertRefused(t, header+"."+body+".", ErrToken)
	}
	f.assertRefused(t, segment(t, f.header(object{"alg": "none"}))+"."+body+".", errTokenSignature)
	f.assertRefused(t, segment(t, f.header(object{"alg": nil}))+"."+body+".", errTokenMalformed)
	f.assertRefused(t, segment(t, f.header(nil))+"."+body+".", errTokenSignature)
}

// Everybody knows the public key: a verifier that lets the token choose HMAC
// would take it for the secret.
func TestAttackHMACWithThePublicKey(t *testing.T) {
	f := newForger(t)
	public := f.private.Public().(ed25519.PublicKey)
	der := must(x509.MarshalPKIXPublicKey(public))(t)
	for _, key := range [][]byte{
		public, der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		[]byte(base64.RawURLEncoding.EncodeToString(public)), f.ring.JWKS(), {},
	} {
		for _, alg := range []string{"HS256", "EdDSA"} {
			text := segment(t, f.header(object{"alg": alg})) + "." + segment(t, f.body(nil))
			f.assertRefused(t, hs256(text, key), errTokenSignature)
		}
	}
}

func TestAttackAnotherAlgorithmName(t *testing.T) {
	f := newForger(t)
	for _, alg := range []string{"ES256", "RS256", "PS512", "HS512"} {
		f.assertRefused(t, f.token(t, f.header(object{"alg": alg}), f.body(nil)), errTokenSignature)
	}
	for _, alg := range []any{"eddsa", "Ed25519", "", 7, []string{"EdDSA"}} {
		f.assertRefused(t, f.token(t, f.header(object{"alg": alg}), f.body(nil)), errTokenMalformed)
	}
}

func TestAttackForeignKeyUnderOurKeyID(t *testing.T) {
	f, stranger := newForger(t), newForger(t)
	_, stranger.private, _ = ed25519.GenerateKey(seeded(77))
	f.assertRefused(t, stranger.genuine(t, nil), errTokenSignature)
}

func TestAttackUnknownKeyID(t *testing.T) {
	f := newForger(t)
	for _, id := range []any{nil, "", "other", 1, []string{f.ring.keys[0].id}, f.ring.keys[0].id + " ", "../" + f.ring.keys[0].id} {
		f.assertRefused(t, f.token(t, f.header(object{"kid": id}), f.body(nil)), errTokenKey)
	}
}

func TestAttackHeaderThatBringsItsOwnKey(t *testing.T) {
	f, stranger := newForger(t), newForger(t)
	public, private, _ := ed25519.GenerateKey(seeded(77))
	stranger.private = private
	for name, value := range map[string]any{
		"jwk": webKey(public), "jku": "https://evil.example/keys", "x5u": "https://evil.example/chain",
		"x5c": []string{base64.StdEncoding.EncodeToString(public)}, "crit": []string{"b64"}, "b64": false, "zip": "DEF",
	} {
		header := f.header(object{name: value})
		f.assertRefused(t, f.token(t, header, f.body(nil)), errTokenHeader)
		f.assertRefused(t, stranger.token(t, header, f.body(nil)), errTokenHeader)
	}
}

func TestAttackTokenOfAnotherPaywall(t *testing.T) {
	f := newForger(t)
	for _, audience := range []any{"other.example", "NEWS.example", testPaywall + ".", []string{"a", "b"}} {
		f.assertRefused(t, f.genuine(t, object{"aud": audience}), errTokenAudience)
	}
	for _, audience := range []any{nil, "", []string{}, []string{""}} {
		f.assertRefused(t, f.genuine(t, object{"aud": audience}), errTokenClaims)
	}
	for _, audience := range []any{7, []any{7, testPaywall}, object{testPaywall: true}} {
		f.assertRefused(t, f.genuine(t, object{"aud": audience}), errTokenMalformed)
	}
	other := must(ParseKeyring(must(NewKeyring("other.example", testLifetime, noon, seeded(1)))(t).Text(), testPaywall, testLifetime))(t)
	sibling := must(NewKeyring("other.example", testLifetime, noon, seeded(1)))(t)
	if _, err := other.Verify(must(sibling.Mint(testClaims(t)))(t), noon); !errors.Is(err, errTokenAudience) {
		t.Errorf("two paywalls with the same keys: got error %v, want %v", err, errTokenAudience)
	}
}

func TestAttackTokenOfAnotherIssuer(t *testing.T) {
	f := newForger(t)
	f.assertRefused(t, f.genuine(t, object{"iss": "caddy-paywall.evil"}), errTokenIssuer)
	f.assertRefused(t, f.genuine(t, object{"iss": nil}), errTokenClaims)
	f.assertRefused(t, f.genuine(t, object{"iss": []string{"caddy-paywall"}}), errTokenMalformed)
}

func TestAttackExpiredToken(t *testing.T) {
	f := newForger(t)
	f.assertRefused(t, f.genuine(t, object{"exp": noon.Add(-tokenLeeway).Unix()}), ErrTokenExpired)
	f.assertRefused(t, f.genuine(t, object{"exp": 1}), ErrTokenExpired)
	f.assertRefused(t, f.genuine(t, object{"exp": nil}), errTokenClaims)
	f.assertRefused(t, f.genuine(t, object{"exp": "2099-01-01"}), errTokenMalformed)
	f.assertRefused(t, f.genuine(t, object{"exp": true}), errTokenMalformed)
}

// Numbers beyond what a time holds wrap round on their way through a float.
func TestAttackExpiryBeyondAllTime(t *testing.T) {
	f := newForger(t)
	for _, exp := range []any{1e300, -1e300, math.MaxInt64, uint64(math.MaxUint64), 253402300800.0, -1, 0} {
		f.assertRefused(t, f.genuine(t, object{"exp": exp}), ErrToken)
		if exp != -1e300 && exp != -1 && exp != 0 {
			f.assertRefused(t, f.genuine(t, object{"iat": exp}), ErrToken)
		}
	}
	body := strings.Replace(string(must(json.Marshal(f.body(nil)))(t)), `"exp":`, `"exp":1e999,"old":`, 1)
	f.assertRefused(t, f.signed(segment(t, f.header(nil)), base64.RawURLEncoding.EncodeToString([]byte(body))), errTokenMalformed)
}

func TestAttackTokenOfTheFuture(t *testing.T) {
	f := newForger(t)
	early := noon.Add(tokenLeeway + time.Second).Unix()
	f.assertRefused(t, f.genuine(t, object{"iat": early}), errTokenEarly)
	f.assertRefused(t, f.genuine(t, object{"nbf": early}), errTokenEarly)
	f.assertRefused(t, f.genuine(t, object{"iat": nil}), errTokenClaims)
}

func TestAttackHugeToken(t *testing.T) {
	f := newForger(t)
	padded := func(n int) string { return f.genuine(t, object{"pad": strings.Repeat("x", n)}) }
	n := 1
	for len(padded(n)) <= MaxToken {
		n++
	}
	if _, err := f.ring.Verify(padded(n-1), noon); err != nil {
		t.Errorf("a token of %d bytes is refused: %v", len(padded(n-1)), err)
	}
	f.assertRefused(t, padded(n), errTokenLong) // genuine but for its length
	f.assertRefused(t, strings.Repeat("A", 1<<20), errTokenLong)
	f.assertRefused(t, strings.Repeat(".", 1<<20), errTokenLong)
	f.assertRefused(t, strings.Repeat(".", MaxToken), errTokenMalformed)
	nested := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte("["), 600))
	f.assertRefused(t, nested+"."+nested+".", errTokenMalformed)
}

func TestAttackGarbage(t *testing.T) {
	f := newForger(t)
	header, body := segment(t, f.header(nil)), segment(t, f.body(nil))
	for _, token := range []string{
		"", ".", "..", "...", "a", "a.b", "a.b.c", "\x00", "Bearer " + f.genuine(t, nil), "\xff\xfe.\xff.\xff",
		header, header + "." + body, "." + body + ".", header + "..", "{}.{}.{}", "bnVsbA.bnVsbA.bnVsbA", "W10.W10.W10", "e30.e30.e30",
		f.signed("bnVsbA", body), f.signed("W10", body), f.signed("e30", body), f.signed(header[:len(header)-4], body),
	} {
		f.assertRefused(t, token, errTokenMalformed)
	}
	f.assertRefused(t, f.signed(header, segment(t, nil)), errTokenClaims)
	f.assertRefused(t, f.signed(header, segment(t, []int{1})), errTokenMalformed)
	f.assertRefused(t, f.signed(header, segment(t, "text")), errTokenMalformed)
	f.assertRefused(t, f.signed(header, segment(t, object{})), errTokenClaims)
}

func TestAttackTokenWithoutGeneration(t *testing.T) {
	f := newForger(t)
	for _, generation := range []any{nil, 0} {
		f.assertRefused(t, f.genuine(t, object{"gen": generation}), errTokenClaims)
	}
	for _, generation := range []any{-1, 1.5, 1 << 32, "1", []int{1}, true} {
		f.assertRefused(t, f.genuine(t, object{"gen": generation}), errTokenMalformed)
	}
}

func TestAttackTokenWithoutWallet(t *testing.T) {
	f := newForger(t)
	for _, wallet := range []any{nil, "", "site", "00000000-0000-0000-0000-000000000000", "3b4a3c4e0b8e4d0c9a536e6f5d2c1b0a"} {
		f.assertRefused(t, f.genuine(t, object{"sub": wallet}), errTokenClaims)
	}
	f.assertRefused(t, f.genuine(t, object{"sub": 7}), errTokenMalformed)
}

// A limit that cannot be read must not become no limit.
func TestAttackPriceLimitThatIsNoAmount(t *testing.T) {
	f := newForger(t)
	for _, limit := range []any{"", "0", "0.00", "-1", "-0.10", "+1", "0.0000001", "1e3", "NaN", "1,50", " 1", "9007199254.740992", strings.Repeat("9", 500)} {
		f.assertRefused(t, f.genuine(t, object{"max_price": limit}), errTokenClaims)
	}
	for _, limit := range []any{0.5, -1, true, []string{"1"}} {
		f.assertRefused(t, f.genuine(t, object{"max_price": limit}), errTokenMalformed)
	}
}

func TestAttackDuplicateParts(t *testing.T) {
	f := newForger(t)
	token := f.genuine(t, nil)
	header, rest, _ := strings.Cut(token, ".")
	body, signature, _ := strings.Cut(rest, ".")
	for _, forged := range []string{
		token + "." + signature, token + "." + token, token + ".", "." + token, header + "." + token,
		header + "." + body + "." + body + "." + signature, token + "," + token, token + " " + token,
	} {
		f.assertRefused(t, forged, errTokenMalformed)
	}
	f.assertRefused(t, header+"."+header+"."+signature, ErrToken)
	f.assertRefused(t, body+"."+body+"."+signature, errTokenMalformed)

	// A header that says two things is read as one of them, never as both.
	twice := `{"alg":"none","alg":"EdDSA","kid":"` + f.ring.keys[0].id + `"}`
	f.assertRefused(t, base64.RawURLEncoding.EncodeToString([]byte(twice))+"."+body+".", errTokenSignature)
}

// A token has one spelling. Another one would be a token that is not the
// cached one, does not match a block list, and still opens the wallet.
func TestAttackTrailingData(t *testing.T) {
	f := newForger(t)
	token := f.genuine(t, nil)
	for _, end := range []string{"A", "AA", "AAAA", "=", "==", "\n", "\r\n", " ", "\x00", "#", "é"} {
		f.assertRefused(t, token+end, ErrToken)
		f.assertRefused(t, end+token, ErrToken)
	}
	f.assertRefused(t, token[:len(token)-1], ErrToken)
	f.assertRefused(t, token[:len(token)-40]+"\n"+token[len(token)-40:], errTokenMalformed)
	header := segment(t, f.header(nil))
	two := append(must(json.Marshal(f.body(nil)))(t), "{}"...)
	f.assertRefused(t, f.signed(header, base64.RawURLEncoding.EncodeToString(two)), errTokenMalformed)

	// 64 bytes leave four bits of the last character unused.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, token[len(token)-1])
	for other := range len(alphabet) {
		if other != last {
			f.assertRefused(t, token[:len(token)-1]+alphabet[other:other+1], ErrToken)
		}
	}
}

func TestAttackChangingAnyByte(t *testing.T) {
	f := newForger(t)
	token := f.genuine(t, nil)
	for i := range len(token) {
		changed := []byte(token)
		if changed[i] = 'A'; token[i] == 'A' {
			changed[i] = 'B'
		}
		if _, err := f.ring.Verify(string(changed), noon); !errors.Is(err, ErrToken) {
			t.Fatalf("byte %d: got error %v", i, err)
		}
	}
}
