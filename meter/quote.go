package meter

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The limits of a quote.
const (
	// QuoteValidity is how long a price stands. It is shorter than the
	// ledger's memory of ids, so that a quote paid twice is always noticed.
	QuoteValidity = 15 * time.Minute

	// MaxQuote is the longest sealed quote, in bytes.
	MaxQuote = 4 << 10

	// MaxReturn is the longest address to go back to, in bytes; a longer one
	// is forgotten.
	MaxReturn = 1 << 10
)

// The reasons a quote is not accepted.
var (
	ErrQuote        = errors.New("not a quote of this paywall")
	ErrQuoteExpired = errors.New("the quote has expired")
)

// Quote is a price offered for a resource: what the 402 says and the payment
// names. A quote is for anybody who holds it; the payment says whose wallet.
type Quote struct {
	ID       wallet.OpID // each payment under the quote derives its id from this
	Rule     Rule
	Resource string
	Return   string // path and query to go back to after paying; may be empty
	Expires  time.Time
}

// NewQuote quotes rule for resource at now. id must be made at now.
func NewQuote(id wallet.OpID, rule Rule, resource, back string, now time.Time) Quote {
	if len(back) > MaxReturn {
		back = ""
	}
	return Quote{ID: id, Rule: rule, Resource: resource, Return: back, Expires: now.Add(QuoteValidity)}
}

// PaymentID is the id of paying for an offer of this quote from a wallet: the
// same each time, so that a double click is one charge.
func (q Quote) PaymentID(id wallet.WalletID, offer string) wallet.OpID {
	return q.ID.Derive(id[:], []byte(offer))
}

// Seal writes the quote as text with its tag under key, both in unpadded
// URL-safe base64 with a point between.
func (q Quote) Seal(key wallet.Key) string {
	const numbers = 64 // bytes, or less, of what is not text
	message := q.appendMessage(make([]byte, 0, numbers+len(q.Rule.Name)+len(q.Resource)+len(q.Return)))
	tag := key.Sign(message)
	text := make([]byte, 0, base64.RawURLEncoding.EncodedLen(len(message)+len(tag))+2)
	text = base64.RawURLEncoding.AppendEncode(text, message)
	text = append(text, '.')
	return string(base64.RawURLEncoding.AppendEncode(text, tag[:]))
}

// OpenQuote reads a sealed quote. The error is ErrQuote for anything that this
// paywall did not seal, and ErrQuoteExpired for what it sealed too long ago;
// the quote is then returned all the same, so that the reader can be led back.
func OpenQuote(key wallet.Key, text string, now time.Time) (Quote, error) {
	if len(text) > MaxQuote {
		return Quote{}, ErrQuote
	}
	message, tag, ok := decodeSealed(text)
	if !ok || !key.Verify(message, tag) {
		return Quote{}, ErrQuote
	}
	q, ok := readMessage(message)
	switch {
	case !ok:
		return Quote{}, ErrQuote
	case now.After(q.Expires):
		return q, ErrQuoteExpired
	}
	return q, nil
}

func decodeSealed(text string) (message, tag []byte, ok bool) {
	body, seal, ok := strings.Cut(text, ".")
	if !ok {
		return nil, nil, false
	}
	message, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, nil, false
	}
	tag, err = base64.RawURLEncoding.Strict().DecodeString(seal)
	return message, tag, err == nil
}
