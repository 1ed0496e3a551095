package wallet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"strings"
	"time"
)

// maxKeyText is the longest text of a keyring or a configured key, in bytes.
const maxKeyText = 64 << 10

// ringEntry is a key in the text form of a ring.
type ringEntry struct {
	ID      string    `json:"kid"`
	Created time.Time `json:"created"`
	Seed    string    `json:"seed"`
}

// Text is the ring with its private keys, for the file that keeps it: a JSON
// array, newest key first, of {"kid", "created", "seed"} with the thumbprint
// of the key (RFC 7638), the time in RFC 3339, and the 32 bytes of the private
// key (RFC 8032 §5.1.5) in hexadecimal. [ParseKeyring] reads it back, unless the
// keys are an operator's, which have no time of creation.
func (r *Keyring) Text() string {
	entries := make([]ringEntry, len(r.keys))
	for i, key := range r.keys {
		entries[i] = ringEntry{key.id, key.created, hex.EncodeToString(key.private().Seed())}
	}
	var text bytes.Buffer
	if err := json.Indent(&text, mustJSON(entries), "", "  "); err != nil {
		panic("wallet: " + err.Error()) // it was just written as JSON
	}
	return text.String() + "\n"
}

// ParseKeyring reads what [Keyring.Text] writes, in at most 64 KiB, for the
// paywall and token lifetime given as in [NewKeyring]. A lifetime shorter than
// the one that tokens were minted with also shortens how long replaced keys
// verify. Every error wraps [ErrKeyring].
func ParseKeyring(text, paywall string, lifetime time.Duration) (*Keyring, error) {
	if len(text) > maxKeyText {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrKeyring, maxKeyText)
	}
	// The decoder's own errors may quote a seed.
	var entries []ringEntry
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&entries); err != nil {
		return nil, fmt.Errorf("%w: it is no JSON array of kid, created and seed", ErrKeyring)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: something follows the JSON array", ErrKeyring)
	}
	keys := make([]*signingKey, 0, len(entries))
	for i, entry := range entries {
		key, err := entry.key()
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	return newRing(paywall, lifetime, keys)
}

func (e ringEntry) key() (*signingKey, error) {
	if e.Created.Unix() <= 0 {
		return nil, fmt.Errorf("%w: it has no time of creation", ErrKeyring)
	}
	key, err := seedKey(e.Seed, e.Created.UTC().Truncate(time.Second))
	if err != nil {
		return nil, err
	}
	if key.id != e.ID {
		return nil, fmt.Errorf("%w: its kid is not the thumbprint of its seed; one of the two was changed", ErrKeyring)
	}
	return key, nil
}

// ConfigureKeyring makes a ring of an operator's own Ed25519 keys, of which
// the first signs and all verify for as long as they are configured. Each is
// one private key: its 32 bytes in base64 or hexadecimal, or PKCS #8 in PEM as
// "openssl genpkey -algorithm ed25519" writes it. Every error wraps
// [ErrKeyring].
func ConfigureKeyring(keys []string, paywall string, lifetime time.Duration) (*Keyring, error) {
	ring := make([]*signingKey, 0, len(keys))
	for i, text := range keys {
		key, err := configuredKey(text)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		ring = append(ring, key)
	}
	return newRing(paywall, lifetime, ring)
}

func configuredKey(text string) (*signingKey, error) {
	if len(text) > maxKeyText {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrKeyring, maxKeyText)
	}
	if !strings.Contains(text, "-----BEGIN") {
		return seedKey(text, time.Time{})
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: it must be one PEM block and nothing after it", ErrKeyring)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: the PEM block %.40q is no Ed25519 private key; make one with: openssl genpkey -algorithm ed25519",
			ErrKeyring, block.Type)
	}
	return newSigningKey(private.Seed(), time.Time{})
}

func seedKey(text string, created time.Time) (*signingKey, error) {
	seed, err := decodeKey(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyring, err)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%w: %d bytes of key, must be %d", ErrKeyring, len(seed), ed25519.SeedSize)
	}
	return newSigningKey(seed, created)
}
