package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Record is a tap that a kiosk has granted by itself.
type Record struct {
	Tap      wallet.OpID `json:"tap"`                // also of what the paywall may have been asked before
	Seq      uint64      `json:"seq"`                // one above that of the record before; the first is 1
	Previous []byte      `json:"previous,omitempty"` // hash of the record before
	Time     int64       `json:"time"`               // milliseconds since 1970
	Product  string      `json:"product"`
	Price    string      `json:"price"` // that the kiosk has shown
	Handle   string      `json:"handle"`
	Lease    wallet.OpID `json:"lease,omitzero"` // zero: none
}

// Head is where a chain of records ends. The zero Head is where it begins.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash []byte `json:"hash,omitempty"`
}

// Is reports whether two chains end alike.
func (h Head) Is(other Head) bool { return h.Seq == other.Seq && bytes.Equal(h.Hash, other.Hash) }

// Signed is a record with a kiosk's signature: what was signed is kept as it was, so that
// it verifies wherever it is read. Reversal is a second signature: what was granted has not
// been handed out.
type Signed struct {
	Text      []byte `json:"record"`
	Signature []byte `json:"signature"`
	Reversal  []byte `json:"reversal,omitempty"`
}

// ErrRecord is a record that is not as the kiosk has made it, or is none.
var ErrRecord = errors.New("this is no record of the kiosk's")

// What is signed begins so: no signature is good for anything else.
const (
	recordDomain   = "caddy-paywall offline tap\n"
	reversalDomain = "caddy-paywall offline tap reversed\n"
	maxRecord      = 1024 // bytes
)

func domain(of string, text []byte) []byte { return append([]byte(of), text...) }

// Sign makes a record binding.
func (r Record) Sign(key ed25519.PrivateKey) (Signed, error) {
	text, err := json.Marshal(r)
	if err == nil && len(text) > maxRecord {
		err = ErrRecord
	}
	return Signed{Text: text, Signature: ed25519.Sign(key, domain(recordDomain, text))}, err
}

// Reverse says besides that nothing was handed out.
func (s Signed) Reverse(key ed25519.PrivateKey) Signed {
	s.Reversal = ed25519.Sign(key, domain(reversalDomain, s.Text))
	return s
}

// Head is where a chain ends with this record.
func (s Signed) Head(r Record) Head {
	sum := sha256.Sum256(s.Text)
	return Head{r.Seq, sum[:]}
}

// Follows reports whether a record is the next one of a chain.
func (r Record) Follows(h Head) bool { return r.Seq == h.Seq+1 && bytes.Equal(r.Previous, h.Hash) }

// Verify returns the record if the kiosk has signed it, and whether it was reversed.
// ErrRecord.
func (s Signed) Verify(key ed25519.PublicKey) (r Record, reversed bool, err error) {
	if len(s.Text) > maxRecord || len(key) != ed25519.PublicKeySize {
		return r, false, ErrRecord
	}
	if !ed25519.Verify(key, domain(recordDomain, s.Text), s.Signature) {
		return r, false, fmt.Errorf("%w: its signature is wrong", ErrRecord)
	}
	if reversed = len(s.Reversal) > 0; reversed && !ed25519.Verify(key, domain(reversalDomain, s.Text), s.Reversal) {
		return r, false, fmt.Errorf("%w: the signature of its reversal is wrong", ErrRecord)
	}
	r, err = s.Read()
	return r, reversed, err
}

// Read returns the record of one's own.
func (s Signed) Read() (r Record, err error) {
	decoder := json.NewDecoder(bytes.NewReader(s.Text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&r) != nil || decoder.More() || r.Tap == (wallet.OpID{}) || r.Seq == 0 || !IsName(r.Product) || !IsHandle(r.Handle) {
		return Record{}, fmt.Errorf("%w: it does not read", ErrRecord)
	}
	return r, nil
}

// IsHandle reports whether a text can be the handle of a card.
func IsHandle(text string) bool {
	if len(text) != HandleSize {
		return false
	}
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// HandleSize is how many characters a handle has.
const HandleSize = 32
