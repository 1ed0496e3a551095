package wallet

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
)

// Labels of the keys that [Secret.Derive] makes for this package's codes.
const (
	LabelVoucher  = "voucher"
	LabelRecovery = "recovery"
)

const (
	secretLength  = 32   // bytes; of a new secret, and the least of a given one
	maxSecretText = 1024 // characters

	// A key drawn at random has fewer distinct bytes than this about once in
	// 10^15 draws; repeated patterns and short alphabets always do.
	leastDistinctBytes = 16

	derivePrefix = "caddy-paywall/v1/" // so that another program's use of the same secret shares no key
)

// ErrSecret is the reason a text is not a usable secret. No error that wraps
// it holds any part of the text.
var ErrSecret = errors.New("not a usable secret")

// Secret is a paywall's root secret: at least 32 bytes of key, from which
// every other key is derived. It writes itself as [redacted] everywhere but in
// [Secret.Text]. The zero Secret holds no key. A Secret is safe for concurrent
// use.
type Secret struct {
	redacted
	key func() []byte // a closure, because fmt prints unexported fields past every method, and what pointers point at
}

// NewSecret draws a secret of 32 bytes from random. Output that cannot be
// random, such as only zeros, is an error that wraps [ErrSecret].
func NewSecret(random io.Reader) (Secret, error) {
	key := make([]byte, secretLength)
	if _, err := io.ReadFull(random, key); err != nil {
		return Secret{}, fmt.Errorf("new secret: %w", err)
	}
	return secretOf(key)
}

// ParseSecret reads a secret of at least 32 bytes of key, written in
// hexadecimal or in base64 (either alphabet, padding optional) in at most 1024
// characters; white space around it is ignored. Keys that were never drawn at
// random (all bytes equal, a counting sequence, a sample value, readable text)
// are errors that wrap [ErrSecret]: an operator who forgot to replace the
// example would otherwise run with a key that everybody knows.
func ParseSecret(text string) (Secret, error) {
	key, err := decodeKey(text)
	if err != nil {
		return Secret{}, err
	}
	if len(key) < secretLength {
		return Secret{}, fmt.Errorf("%w: %d bytes of key, must be at least %d; make one with: openssl rand -hex %d",
			ErrSecret, len(key), secretLength, secretLength)
	}
	return secretOf(key)
}

func secretOf(key []byte) (Secret, error) {
	if why := predictable(key); why != "" {
		return Secret{}, fmt.Errorf("%w: %s; make one with: openssl rand -hex %d", ErrSecret, why, secretLength)
	}
	return Secret{key: func() []byte { return key }}, nil
}

// Text is the secret itself in hexadecimal, for the file that keeps it;
// [ParseSecret] reads it back. It panics on the zero Secret.
func (s Secret) Text() string { return hex.EncodeToString(s.bytes()) }

// Derive makes the key for one use, named by label, with HKDF-SHA256 (RFC
// 5869). Keys of different labels tell nothing about each other or about the
// secret. It panics on the zero Secret: whatever an empty key signs, anybody
// can sign.
func (s Secret) Derive(label string) Key {
	derived, err := hkdf.Key(sha256.New, s.bytes(), nil, derivePrefix+label, sha256.Size)
	if err != nil {
		panic("wallet: " + err.Error()) // only lengths can be wrong, and both are constant
	}
	return Key{key: func() []byte { return derived }, sign: signer(derived)}
}

func (s Secret) bytes() []byte {
	if s.key == nil {
		panic("wallet: use of the zero Secret")
	}
	return s.key()
}

// TagSize is the length in bytes of what [Key.Sign] returns.
const TagSize = sha256.Size

// Key signs for one use, with HMAC-SHA256 (RFC 2104). It writes itself as
// [redacted]. Make one with [Secret.Derive]; it is safe for concurrent use.
type Key struct {
	redacted
	key  func() []byte // closures for the same reason as in Secret
	sign func(message []byte) [TagSize]byte
}

// signer signs under a key with HMACs that are used again: one that is made
// anew hashes the key twice, which is half of the work for a short message.
func signer(key []byte) func(message []byte) [TagSize]byte {
	type state struct {
		mac hash.Hash
		tag [TagSize]byte // here, because what a hash writes to is on the heap
	}
	states := sync.Pool{New: func() any { return &state{mac: hmac.New(sha256.New, key)} }}
	return func(message []byte) [TagSize]byte {
		s := states.Get().(*state)
		defer states.Put(s)
		s.mac.Reset()
		s.mac.Write(message)
		s.mac.Sum(s.tag[:0])
		return s.tag
	}
}

// Sign returns the tag of a message. It panics on the zero Key, as
// [Secret.Derive] does.
func (k Key) Sign(message []byte) [TagSize]byte {
	if k.sign == nil {
		panic("wallet: use of the zero Key")
	}
	return k.sign(message)
}

// Verify reports whether tag is the whole tag of message, in a time that does
// not depend on how much of it is right. It panics on the zero Key.
func (k Key) Verify(message, tag []byte) bool {
	want := k.Sign(message)
	return hmac.Equal(want[:], tag)
}

// decodeKey reads key bytes from hexadecimal or base64. Text of hexadecimal
// digits only is never base64: 48 of them would pass for 36 bytes while they
// hold 24.
func decodeKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxSecretText {
		return nil, fmt.Errorf("%w: longer than %d characters", ErrSecret, maxSecretText)
	}
	if strings.Trim(text, "0123456789abcdefABCDEF") == "" {
		key, err := hex.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("%w: an odd number of hexadecimal digits", ErrSecret)
		}
		return key, nil
	}
	if sample(text) {
		return nil, fmt.Errorf("%w: it is a sample value", ErrSecret)
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	key, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: neither hexadecimal nor base64", ErrSecret)
	}
	return key, nil
}

// sample reports whether text has a word that people write where a secret
// belongs. Random base64 has one about once in ten million draws.
func sample(text string) bool {
	text = strings.ToLower(text)
	for _, word := range []string{"change", "example", "sample", "secret", "password", "paywall", "replace", "insert"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// predictable says why key was not drawn at random, or nothing.
func predictable(key []byte) string {
	distinct, printable, counting := map[byte]bool{}, true, true
	for i, b := range key {
		distinct[b] = true
		printable = printable && ' ' <= b && b <= '~'
		counting = counting && (i == 0 || b-key[i-1] == key[1]-key[0])
	}
	switch {
	case counting:
		return "its bytes are all equal, or only count"
	case printable:
		return "it is readable text in base64 or hexadecimal"
	case len(distinct) < leastDistinctBytes:
		return "it repeats a short pattern"
	}
	return ""
}
