package wallet

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"
)

const (
	maxKeys        = 128 // of a keyring
	maxPaywallName = 128 // bytes; it is in every token

	// MaxTokenLifetime is the longest that a token may last.
	MaxTokenLifetime = 3660 * 24 * time.Hour
)

// ErrKeyring is the reason a keyring cannot be made. No error that wraps it
// holds any part of a key.
var ErrKeyring = errors.New("not a usable keyring")

// Keyring mints and verifies the tokens of one paywall with Ed25519 keys: the
// first signs, and each of the others verifies what it signed before it was
// replaced. A Keyring never changes and is safe for concurrent use; rotation
// makes a new one, which also begins with an empty cache of verified tokens, so
// that no token outlives its key. It writes itself without its keys everywhere
// but in [Keyring.Text].
type Keyring struct {
	paywall  string
	lifetime time.Duration
	keys     []*signingKey  // newest first
	byID     map[string]int // index in keys
	jwks     []byte
	verified *tokenCache
}

// signingKey is one key of a ring.
type signingKey struct {
	id      string    // RFC 7638 thumbprint
	created time.Time // zero: an operator's key
	until   time.Time // when it stops to verify; zero: with the ring
	public  ed25519.PublicKey
	private func() ed25519.PrivateKey // a closure for the same reason as in Secret
}

// NewKeyring makes a ring with one new key, drawn from random. Tokens carry
// paywall (1 to 128 bytes of UTF-8) as their audience, so that a token of one
// paywall opens nothing at another, and last at most lifetime (a second to
// [MaxTokenLifetime]).
func NewKeyring(paywall string, lifetime time.Duration, now time.Time, random io.Reader) (*Keyring, error) {
	key, err := drawKey(now, random)
	if err != nil {
		return nil, err
	}
	return newRing(paywall, lifetime, []*signingKey{key})
}

// Equal reports whether both rings mint and verify the same tokens.
func (r *Keyring) Equal(other *Keyring) bool {
	return r.paywall == other.paywall && r.lifetime == other.lifetime &&
		slices.EqualFunc(r.keys, other.keys, func(a, b *signingKey) bool {
			return a.created.Equal(b.created) && a.until.Equal(b.until) && a.public.Equal(b.public)
		})
}

// Rotate returns a ring with a new key that signs; r stays as it is. Every
// older key goes on to verify for the lifetime of a token (and the leeway)
// after it was replaced, and is dropped at the first rotation after that. Keys
// that an operator configured are the operator's to rotate, which is an error
// that wraps [ErrKeyring], as is a clock that stands before the newest key.
func (r *Keyring) Rotate(now time.Time, random io.Reader) (*Keyring, error) {
	switch newest := r.keys[0]; {
	case newest.created.IsZero():
		return nil, fmt.Errorf("%w: its keys are configured; put a new key before them in the configuration", ErrKeyring)
	case now.Before(newest.created):
		return nil, fmt.Errorf("%w: its newest key is of %s, which is still to come; check the clock",
			ErrKeyring, newest.created.Format(time.RFC3339))
	}
	key, err := drawKey(now, random)
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(slices.Clone(r.keys), func(k *signingKey) bool {
		return !k.until.IsZero() && !now.Before(k.until)
	})
	return newRing(r.paywall, r.lifetime, append([]*signingKey{key}, kept...))
}

// Created is when the signing key was made, to the second, by which a caller
// knows that rotation is due. It is zero for an operator's key.
func (r *Keyring) Created() time.Time { return r.keys[0].created }

// JWKS is the JSON Web Key Set (RFC 7517, RFC 8037) by which others verify the
// ring's tokens: every public key, the signing one first, and nothing private.
func (r *Keyring) JWKS() []byte { return slices.Clone(r.jwks) }

// String names the signing key, and no secret.
func (r *Keyring) String() string {
	return fmt.Sprintf("keyring of %d keys signing as %s", len(r.keys), r.keys[0].id)
}

// GoString is String.
func (r *Keyring) GoString() string { return r.String() }

// MarshalText is String, for logs and configuration dumps.
func (r *Keyring) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func drawKey(now time.Time, random io.Reader) (*signingKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("new signing key: %w", err)
	}
	return newSigningKey(seed, now.UTC().Truncate(time.Second))
}

func newSigningKey(seed []byte, created time.Time) (*signingKey, error) {
	if why := predictable(seed); why != "" {
		return nil, fmt.Errorf("%w: a key was not drawn at random: %s", ErrKeyring, why)
	}
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	return &signingKey{
		id: thumbprint(public), created: created, public: public,
		private: func() ed25519.PrivateKey { return private },
	}, nil
}

// newRing makes a ring of keys, newest first, which it copies: when a key
// stops to verify depends on the ring it is in.
func newRing(paywall string, lifetime time.Duration, keys []*signingKey) (*Keyring, error) {
	switch {
	case paywall == "" || len(paywall) > maxPaywallName || !utf8.ValidString(paywall):
		return nil, fmt.Errorf("%w: the paywall's name must be 1 to %d bytes of UTF-8", ErrKeyring, maxPaywallName)
	case lifetime < time.Second || lifetime > MaxTokenLifetime:
		return nil, fmt.Errorf("%w: a token lifetime of %v, must be 1s to %v", ErrKeyring, lifetime, MaxTokenLifetime)
	case len(keys) == 0 || len(keys) > maxKeys:
		return nil, fmt.Errorf("%w: %d keys, must be 1 to %d", ErrKeyring, len(keys), maxKeys)
	}
	r := &Keyring{
		paywall: paywall, lifetime: lifetime,
		byID: make(map[string]int, len(keys)), verified: newTokenCache(),
	}
	var newer time.Time
	for i, key := range keys {
		placed := *key
		if !newer.IsZero() {
			placed.until = newer.Add(lifetime + tokenLeeway)
		}
		_, twice := r.byID[placed.id]
		switch {
		case twice:
			return nil, fmt.Errorf("%w: key %s is in it twice", ErrKeyring, placed.id)
		case i > 0 && placed.created.After(newer):
			return nil, fmt.Errorf("%w: key %s is newer than the one before it; the newest comes first", ErrKeyring, placed.id)
		}
		newer = placed.created
		r.keys = append(r.keys, &placed)
		r.byID[placed.id] = i
	}
	r.jwks = publicSet(r.keys)
	return r, nil
}

// jsonWebKey is the public form of a key (RFC 8037 §2), its members in the
// order that RFC 7638 hashes them in: the first three.
type jsonWebKey struct {
	Curve     string `json:"crv"`
	Type      string `json:"kty"`
	X         string `json:"x"`
	ID        string `json:"kid,omitempty"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
}

func webKey(public ed25519.PublicKey) jsonWebKey {
	return jsonWebKey{Curve: "Ed25519", Type: "OKP", X: base64.RawURLEncoding.EncodeToString(public)}
}

func publicSet(keys []*signingKey) []byte {
	var set struct {
		Keys []jsonWebKey `json:"keys"`
	}
	for _, key := range keys {
		public := webKey(key.public)
		public.ID, public.Use, public.Algorithm = key.id, "sig", "EdDSA"
		set.Keys = append(set.Keys, public)
	}
	return mustJSON(set)
}

// thumbprint names a key by its public part (RFC 7638, RFC 8037 appendix A.3).
func thumbprint(public ed25519.PublicKey) string {
	sum := sha256.Sum256(mustJSON(webKey(public)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// mustJSON writes a value of strings, which cannot fail.
func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("wallet: " + err.Error())
	}
	return text
}
