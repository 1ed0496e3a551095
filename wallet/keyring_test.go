package wallet

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func testRing(t testing.TB) *Keyring {
	t.Helper()
	return must(NewKeyring(testPaywall, testLifetime, noon, seeded(1)))(t)
}

// The key, and the name it has to get, are those of RFC 8037 appendix A.
func TestAKeyIsNamedByItsThumbprint(t *testing.T) {
	const seed, public = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	ring := must(ConfigureKeyring([]string{seed}, testPaywall, testLifetime))(t)
	if got := webKey(ring.keys[0].public).X; got != public {
		t.Fatalf("public key %s, want %s", got, public)
	}
	if got, want := ring.keys[0].id, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"; got != want {
		t.Errorf("thumbprint %s, want %s", got, want)
	}
}

func TestOthersVerifyTokensByTheJWKS(t *testing.T) {
	ring := must(testRing(t).Rotate(noon.Add(time.Hour), seeded(2)))(t)
	token := must(ring.Mint(testClaims(t)))(t)
	text, signature, _ := cutLast(token, ".")
	var header struct{ Kid string }
	_ = json.Unmarshal(must(base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0]))(t), &header)

	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(ring.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	verified := 0
	for _, key := range set.Keys {
		if key["kid"] == header.Kid &&
			ed25519.Verify(must(base64.RawURLEncoding.DecodeString(key["x"]))(t), []byte(text), must(base64.RawURLEncoding.DecodeString(signature))(t)) {
			verified++
		}
	}
	if len(set.Keys) != 2 || verified != 1 {
		t.Errorf("%d of %d keys verify the token, want 1 of 2", verified, len(set.Keys))
	}
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	return s[:i], s[i+len(separator):], i >= 0
}

func TestTheJWKSHasNoPrivateParts(t *testing.T) {
	ring := must(testRing(t).Rotate(noon.Add(time.Hour), seeded(2)))(t)
	var set map[string][]map[string]any
	if err := json.Unmarshal(ring.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	for i, key := range set["keys"] {
		want := fmt.Sprint(map[string]any{
			"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
			"kid": ring.keys[i].id, "x": base64.RawURLEncoding.EncodeToString(ring.keys[i].public),
		})
		if got := fmt.Sprint(key); got != want {
			t.Errorf("key %d is %s, want %s", i, got, want)
		}
	}
	assertNoPrivateKey(t, string(ring.JWKS()), ring)
}

func TestAChangedJWKSIsTheCallersOwn(t *testing.T) {
	ring := testRing(t)
	ring.JWKS()[0] = 'x'
	if ring.JWKS()[0] != '{' {
		t.Error("a caller changed the ring's JWKS")
	}
}

func assertNoPrivateKey(t *testing.T, text string, ring *Keyring) {
	t.Helper()
	for _, key := range ring.keys {
		seed := key.private().Seed()
		assertNoBytes(t, text, fmt.Sprintf("%x", seed), seed)
		if holdsPart(text, base64.RawURLEncoding.EncodeToString(seed)) {
			t.Errorf("a private key in %.80q", text)
		}
	}
}

func TestKeysDoNotReachLogsErrorsOrDumps(t *testing.T) {
	ring := must(testRing(t).Rotate(noon.Add(time.Hour), seeded(2)))(t)
	type app struct{ ring *Keyring } // as an application holds it
	values := []any{ring, *ring, app{ring}, &app{ring}, []*Keyring{ring}, ring.keys, ring.keys[0], *ring.keys[0]}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%o", "%c", "%U", "%t"} {
		for _, value := range values {
			assertNoPrivateKey(t, fmt.Sprintf(verb, value), ring)
		}
	}
	var logged strings.Builder
	for _, handler := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(handler).Info("x", "ring", ring, "app", app{ring})
	}
	assertNoPrivateKey(t, logged.String(), ring)
	dump := string(must(json.Marshal(map[string]any{"ring": ring}))(t))
	if want := `{"ring":"keyring of 2 keys signing as ` + ring.keys[0].id + `"}`; dump != want {
		t.Errorf("as JSON a ring is %s, want %s", dump, want)
	}
}

func TestARingNeedsANameAndALifetime(t *testing.T) {
	for _, name := range []string{"", strings.Repeat("x", maxPaywallName+1), "\xff"} {
		if _, err := NewKeyring(name, testLifetime, noon, seeded(1)); !errors.Is(err, ErrKeyring) {
			t.Errorf("the name %.10q: got error %v", name, err)
		}
	}
	for _, lifetime := range []time.Duration{-time.Hour, 0, time.Second - 1, MaxTokenLifetime + 1} {
		if _, err := NewKeyring(testPaywall, lifetime, noon, seeded(1)); !errors.Is(err, ErrKeyring) {
			t.Errorf("a lifetime of %v: got error %v", lifetime, err)
		}
	}
}
