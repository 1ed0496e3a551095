package wallet

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// noon is the time of tests that need only one.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	testPaywall  = "news.example"
	testLifetime = 30 * 24 * time.Hour
)

// seeded is randomness that is the same in every run.
func seeded(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func testSecret(t testing.TB) Secret {
	t.Helper()
	return must(NewSecret(seeded(1)))(t)
}

func testClaims(t testing.TB) Claims {
	t.Helper()
	return Claims{
		Wallet: must(NewWalletID(seeded(2)))(t), Generation: 3, MaxPrice: Unit / 2,
		Issued: noon, Expires: noon.Add(testLifetime),
	}
}

// forger holds the private key of the ring it attacks, so that each test can
// make a token that is wrong in one thing only. It writes tokens without the
// library that reads them.
type forger struct {
	ring    *Keyring
	private ed25519.PrivateKey
}

func newForger(t testing.TB) forger {
	t.Helper()
	_, private, err := ed25519.GenerateKey(seeded(3))
	if err != nil {
		t.Fatal(err)
	}
	ring := must(ConfigureKeyring([]string{hex.EncodeToString(private.Seed())}, testPaywall, testLifetime))(t)
	return forger{ring, private}
}

type object = map[string]any

// header returns a good header with changes; a nil value removes a member.
func (f forger) header(changes object) object {
	return changed(object{"alg": "EdDSA", "typ": "JWT", "kid": f.ring.keys[0].id}, changes)
}

// body returns good claims with changes; a nil value removes a member.
func (f forger) body(changes object) object {
	return changed(object{
		"iss": "caddy-paywall", "aud": testPaywall, "sub": "3b4a3c4e-0b8e-4d0c-9a53-6e6f5d2c1b0a",
		"gen": 1, "iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix(),
	}, changes)
}

func changed(good, changes object) object {
	maps.Copy(good, changes)
	maps.DeleteFunc(good, func(_ string, v any) bool { return v == nil })
	return good
}

func (f forger) token(t testing.TB, header, body object) string {
	t.Helper()
	return f.signed(segment(t, header), segment(t, body))
}

// genuine returns a token that verifies at noon, changed in its claims.
func (f forger) genuine(t testing.TB, changes object) string {
	t.Helper()
	return f.token(t, f.header(nil), f.body(changes))
}

func (f forger) signed(header, body string) string {
	text := header + "." + body
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(f.private, []byte(text)))
}

func segment(t testing.TB, v any) string {
	t.Helper()
	return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v))(t))
}

func hs256(text string, key []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// holdsPart reports whether text has eight characters in a row of secret.
func holdsPart(text, secret string) bool {
	for i := 0; i+8 <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+8]) {
			return true
		}
	}
	return false
}
