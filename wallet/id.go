package wallet

import (
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
)

// WalletID names a wallet: 128 bits, random but for the version, so that
// nobody finds a wallet by counting. It is a pseudonym, not a secret.
type WalletID [16]byte

// NewWalletID draws a wallet id (a UUID version 4) from random.
func NewWalletID(random io.Reader) (WalletID, error) {
	id, err := uuid.NewRandomFromReader(random)
	return WalletID(id), err
}

// ParseWalletID reads the 36-character form that [WalletID.String] writes.
func ParseWalletID(s string) (WalletID, error) {
	id, err := parseUUID(s)
	if err != nil {
		return WalletID{}, fmt.Errorf("wallet id: %w", err)
	}
	return WalletID(id), nil
}

func (id WalletID) String() string { return uuid.UUID(id).String() }

// MarshalText writes the form of String, so that JSON holds it as a string.
func (id WalletID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseWalletID.
func (id *WalletID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseWalletID(string(text))
	return err
}

// OpID names an operation and makes it idempotent. Its first 48 bits are the
// Unix time in milliseconds, as in a UUID version 7 (RFC 9562 §5.7), so that a
// ledger can refuse an id older than its memory.
type OpID [16]byte

// NewOpID makes an id for an operation that begins at now, from random.
func NewOpID(now time.Time, random io.Reader) (OpID, error) {
	var id OpID
	if _, err := io.ReadFull(random, id[6:]); err != nil {
		return OpID{}, fmt.Errorf("operation id: %w", err)
	}
	id.stamp(now.UnixMilli())
	return id, nil
}

// Derive makes the id of a further operation from id: the same time, and bits
// that depend on id and on every part. The same parts give the same id, which
// is how a double click stays one charge.
func (id OpID) Derive(parts ...[]byte) OpID {
	sum := digestOf(id[:], parts...)
	derived := OpID(sum[:16])
	derived.stamp(id.Time().UnixMilli())
	return derived
}

// stamp writes the time and the version and variant bits of a UUID version 7.
func (id *OpID) stamp(milliseconds int64) {
	for i := range 6 {
		id[i] = byte(milliseconds >> (40 - 8*i))
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
}

// Time is when the operation began, to the millisecond.
func (id OpID) Time() time.Time {
	var milliseconds int64
	for _, b := range id[:6] {
		milliseconds = milliseconds<<8 | int64(b)
	}
	return time.UnixMilli(milliseconds)
}

// ParseOpID reads the 36-character form of a UUID version 7.
func ParseOpID(s string) (OpID, error) {
	id, err := parseUUID(s)
	if err != nil {
		return OpID{}, fmt.Errorf("operation id: %w", err)
	}
	if id.Version() != 7 {
		return OpID{}, fmt.Errorf("operation id: %q is not a UUID version 7", s)
	}
	return OpID(id), nil
}

func (id OpID) String() string { return uuid.UUID(id).String() }

// MarshalText writes the form of String, so that JSON holds it as a string.
func (id OpID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is ParseOpID.
func (id *OpID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseOpID(string(text))
	return err
}

// parseUUID takes only the 36-character form; uuid.Parse also takes urn:,
// braces and bare hex, and one thing should have one spelling.
func parseUUID(s string) (uuid.UUID, error) {
	if len(s) != 36 {
		return uuid.UUID{}, fmt.Errorf("%.40q is not a UUID of 36 characters", s)
	}
	return uuid.Parse(s)
}
