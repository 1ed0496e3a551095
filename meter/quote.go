package meter

import (
	"encoding/base64"
	"encoding/json"
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
	MaxQuote = 16 << 10

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
	message, err := json.Marshal(q.wire())
	if err != nil {
		panic("meter: a quote is always JSON: " + err.Error())
	}
	tag := key.Sign(message)
	return base64.RawURLEncoding.EncodeToString(message) + "." + base64.RawURLEncoding.EncodeToString(tag[:])
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
	var w wireQuote
	if err := json.Unmarshal(message, &w); err != nil {
		return Quote{}, ErrQuote
	}
	q := w.quote()
	if now.After(q.Expires) {
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

// wireQuote is a quote's JSON: short names, because it travels in every 402.
type wireQuote struct {
	ID       wallet.OpID `json:"i"`
	Rule     string      `json:"r"`
	Price    int64       `json:"p,omitempty"`
	Visits   int         `json:"v,omitempty"`
	Bundle   int64       `json:"b,omitempty"`
	Validity int64       `json:"d,omitempty"` // seconds
	Window   int64       `json:"w"`           // seconds
	Resource string      `json:"k"`
	Return   string      `json:"u,omitempty"`
	Expires  int64       `json:"e"` // Unix milliseconds
}

func (q Quote) wire() wireQuote {
	r := q.Rule
	return wireQuote{
		ID: q.ID, Rule: r.Name, Price: int64(r.Price),
		Visits: r.Bundle.Visits, Bundle: int64(r.Bundle.Price), Validity: int64(r.Bundle.Validity / time.Second),
		Window: int64(r.Window / time.Second), Resource: q.Resource, Return: q.Return, Expires: q.Expires.UnixMilli(),
	}
}

func (w wireQuote) quote() Quote {
	return Quote{
		ID: w.ID,
		Rule: Rule{
			Name: w.Rule, Price: wallet.Amount(w.Price), Window: time.Duration(w.Window) * time.Second,
			Bundle: Bundle{
				Visits: w.Visits, Price: wallet.Amount(w.Bundle), Validity: time.Duration(w.Validity) * time.Second,
			},
		},
		Resource: w.Resource, Return: w.Return, Expires: time.UnixMilli(w.Expires),
	}
}
