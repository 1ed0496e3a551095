package wallet

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestARingReadsBackFromItsText(t *testing.T) {
	ring := testRing(t)
	for i := range 5 {
		ring = must(ring.Rotate(noon.Add(time.Duration(i)*time.Hour+time.Millisecond), seeded(byte(2+i))))(t)
	}
	again := must(ParseKeyring(ring.Text(), testPaywall, testLifetime))(t)
	if again.Text() != ring.Text() || string(again.JWKS()) != string(ring.JWKS()) {
		t.Errorf("got\n%s\nwant\n%s", again.Text(), ring.Text())
	}
	for i, key := range ring.keys {
		if !again.keys[i].until.Equal(key.until) || !again.keys[i].created.Equal(key.created) {
			t.Errorf("key %d: created %v until %v, want %v until %v", i,
				again.keys[i].created, again.keys[i].until, key.created, key.until)
		}
	}
	token := must(ring.Mint(testClaims(t)))(t)
	if got := must(again.Verify(token, noon))(t); got != testClaims(t) {
		t.Errorf("claims %+v, want %+v", got, testClaims(t))
	}
}

// Every seed a ring can draw must read back: a file that the paywall wrote and
// then refuses would lock every reader out.
func TestEveryDrawnKeyReadsBack(t *testing.T) {
	for seed := range byte(200) {
		ring := must(NewKeyring(testPaywall, testLifetime, noon, seeded(seed)))(t)
		if _, err := ParseKeyring(ring.Text(), testPaywall, testLifetime); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestABrokenKeyFileIsRefusedWithoutBeingRepeated(t *testing.T) {
	ring := must(testRing(t).Rotate(noon.Add(time.Hour), seeded(2)))(t)
	good := ring.Text()
	newer, older := ring.keys[0], ring.keys[1]
	seed := hex.EncodeToString(newer.private().Seed())
	entry := func(kid, created, seed string) string {
		return `[{"kid":` + kid + `,"created":` + created + `,"seed":` + seed + `}]`
	}
	quote := func(s string) string { return string(must(json.Marshal(s))(t)) }
	at := quote("2026-03-01T13:00:00Z")
	if _, err := ParseKeyring(entry(quote(newer.id), at, quote(seed)), testPaywall, testLifetime); err != nil {
		t.Fatalf("the entry that the cases change: %v", err)
	}
	for name, text := range map[string]string{
		"nothing":                  "",
		"null":                     "null",
		"no keys":                  "[]",
		"an object":                `{"keys":` + good + `}`,
		"half a file":              good[:len(good)/2],
		"two arrays":               good + good,
		"something after it":       good + "x",
		"an unknown member":        strings.Replace(good, `"kid"`, `"d":"`+seed+`","kid"`, 1),
		"another key's name":       entry(quote(older.id), at, quote(seed)),
		"no name":                  entry(`""`, at, quote(seed)),
		"no time":                  entry(quote(newer.id), "null", quote(seed)),
		"a time that is none":      entry(quote(newer.id), quote("yesterday"), quote(seed)),
		"a time before 1970":       entry(quote(newer.id), quote("1969-01-01T00:00:00Z"), quote(seed)),
		"half a seed":              entry(quote(newer.id), at, quote(seed[:32])),
		"a long seed":              entry(quote(newer.id), at, quote(seed+"00")),
		"a seed of zeros":          entry(quote(newer.id), at, quote(strings.Repeat("00", 32))),
		"a seed that is a number":  entry(quote(newer.id), at, "1234567890123456789"),
		"a seed that is no string": entry(quote(newer.id), at, "["+quote(seed)+"]"),
		"a key twice":              "[" + strings.Trim(good, "[]\n") + "," + strings.Trim(good, "[]\n") + "]",
		"the oldest first":         reversed(t, good),
		"too long":                 strings.Repeat(" ", maxKeyText) + good,
	} {
		got, err := ParseKeyring(text, testPaywall, testLifetime)
		if !errors.Is(err, ErrKeyring) || got != nil {
			t.Errorf("%s: got %v, error %v, want ErrKeyring", name, got, err)
			continue
		}
		if holdsPart(err.Error(), seed) || strings.Contains(err.Error(), "123456") {
			t.Errorf("%s: the error repeats a seed: %v", name, err)
		}
	}
}

func reversed(t *testing.T, text string) string {
	t.Helper()
	var entries []json.RawMessage
	if err := json.Unmarshal([]byte(text), &entries); err != nil {
		t.Fatal(err)
	}
	entries[0], entries[1] = entries[1], entries[0]
	return string(must(json.Marshal(entries))(t))
}

func TestAnOperatorMayBringKeys(t *testing.T) {
	_, first, _ := ed25519.GenerateKey(seeded(1))
	_, second, _ := ed25519.GenerateKey(seeded(2))
	block := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(first))(t)})
	for name, text := range map[string]string{
		"base64":      base64.StdEncoding.EncodeToString(first.Seed()),
		"URL base64":  base64.RawURLEncoding.EncodeToString(first.Seed()),
		"hexadecimal": hex.EncodeToString(first.Seed()),
		"PEM":         string(block),
		"indented":    "\n" + string(block) + "\n\n",
	} {
		ring := must(ConfigureKeyring([]string{text, hex.EncodeToString(second.Seed())}, testPaywall, testLifetime))(t)
		if len(ring.keys) != 2 || !ring.keys[0].private().Equal(first) || !ring.keys[1].private().Equal(second) {
			t.Errorf("%s: the ring is %v", name, ring)
		}
		if !ring.Created().IsZero() || !ring.keys[1].until.IsZero() {
			t.Errorf("%s: keys created %v, the second until %v; want neither", name, ring.Created(), ring.keys[1].until)
		}
	}
}

func TestAnOperatorsKeyThatIsNoneIsRefusedWithoutBeingRepeated(t *testing.T) {
	_, private, _ := ed25519.GenerateKey(seeded(1))
	elliptical := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	asPEM := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	good := asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private))(t))
	for name, text := range map[string]string{
		"nothing":              "",
		"31 bytes":             hex.EncodeToString(private.Seed()[:31]),
		"a whole private key":  hex.EncodeToString(private),
		"zeros":                strings.Repeat("A", 43) + "=",
		"a sample":             "changeme" + base64.StdEncoding.EncodeToString(private.Seed())[8:],
		"a public key in PEM":  asPEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(private.Public()))(t)),
		"another kind of key":  asPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(elliptical))(t)),
		"PEM of nothing":       asPEM("PRIVATE KEY", nil),
		"two PEM blocks":       good + good,
		"half a PEM block":     good[:len(good)/2],
		"PEM with text behind": good + hex.EncodeToString(private.Seed()),
		"too long":             strings.Repeat(good, 1000),
	} {
		ring, err := ConfigureKeyring([]string{text}, testPaywall, testLifetime)
		if !errors.Is(err, ErrKeyring) || ring != nil {
			t.Errorf("%s: got %v, error %v, want ErrKeyring", name, ring, err)
			continue
		}
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "-----") && holdsPart(err.Error(), line) {
				t.Errorf("%s: the error repeats the key: %v", name, err)
			}
		}
	}
	if _, err := ConfigureKeyring(nil, testPaywall, testLifetime); !errors.Is(err, ErrKeyring) {
		t.Errorf("no keys: got error %v", err)
	}
	if _, err := ConfigureKeyring([]string{good, good}, testPaywall, testLifetime); !errors.Is(err, ErrKeyring) {
		t.Errorf("a key twice: got error %v", err)
	}
}

func FuzzParseKeyring(f *testing.F) {
	ring := testRing(f)
	f.Add(ring.Text())
	f.Add(must(ring.Rotate(noon, seeded(2)))(f).Text())
	f.Add(`[{"kid":"","created":"0001-01-01T00:00:00Z","seed":""}]`)
	f.Add("[null]")
	f.Fuzz(func(t *testing.T, text string) {
		ring, err := ParseKeyring(text, testPaywall, testLifetime)
		if err != nil {
			if !errors.Is(err, ErrKeyring) || ring != nil {
				t.Fatalf("got %v, error %v", ring, err)
			}
			return
		}
		again := must(ParseKeyring(ring.Text(), testPaywall, testLifetime))(t)
		if again.Text() != ring.Text() {
			t.Fatalf("got\n%s\nwant\n%s", again.Text(), ring.Text())
		}
	})
}

func FuzzConfigureKeyring(f *testing.F) {
	_, private, _ := ed25519.GenerateKey(seeded(1))
	f.Add(base64.StdEncoding.EncodeToString(private.Seed()))
	f.Add(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(private))(f)})))
	f.Add("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----")
	f.Fuzz(func(t *testing.T, text string) {
		ring, err := ConfigureKeyring([]string{text}, testPaywall, testLifetime)
		if err != nil {
			if !errors.Is(err, ErrKeyring) || ring != nil {
				t.Fatalf("got %v, error %v", ring, err)
			}
			return
		}
		claims := Claims{Wallet: WalletID{1}, Generation: 1, Issued: noon, Expires: noon.Add(time.Hour)}
		if got := must(ring.Verify(must(ring.Mint(claims))(t), noon))(t); got != claims {
			t.Fatalf("claims %+v, want %+v", got, claims)
		}
	})
}
