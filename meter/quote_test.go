package meter

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// keyOf derives a key from a secret drawn from a fixed stream.
func keyOf(seed string) wallet.Key {
	secret, err := wallet.NewSecret(rand.NewChaCha8(sha256.Sum256([]byte(seed))))
	if err != nil {
		panic(err)
	}
	return secret.Derive("quote")
}

var (
	now  = time.UnixMilli(1_790_000_000_000)
	ours = keyOf("ours")
)

func tagOf(message []byte) string {
	tag := ours.Sign(message)
	return base64.RawURLEncoding.EncodeToString(tag[:])
}

// sealed is any message under our own tag.
func sealed(message []byte) string {
	return base64.RawURLEncoding.EncodeToString(message) + "." + tagOf(message)
}

func quote(t testing.TB) Quote {
	t.Helper()
	id, err := wallet.NewOpID(now, rand.NewChaCha8([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	rule := Rule{
		Name: "/research/*", Price: dime, Window: DefaultWindow,
		Bundle: Bundle{Visits: 10, Price: 10 * wallet.Unit, Validity: 30 * 24 * time.Hour},
	}
	return NewQuote(id, rule, Resource("localhost:8402", "/research/1"), "/research/1?from=front", now)
}

func TestAQuoteOpensAsItWasSealed(t *testing.T) {
	q := quote(t)
	opened, err := OpenQuote(ours, q.Seal(ours), now)
	if err != nil {
		t.Fatal(err)
	}
	if !opened.Expires.Equal(q.Expires) {
		t.Errorf("expires %v, want %v", opened.Expires, q.Expires)
	}
	opened.Expires = q.Expires
	if opened != q {
		t.Errorf("opened %+v\nwant   %+v", opened, q)
	}
}

func TestAQuoteStandsForItsValidityAndNoLonger(t *testing.T) {
	q := quote(t)
	text := q.Seal(ours)
	if _, err := OpenQuote(ours, text, now.Add(QuoteValidity)); err != nil {
		t.Errorf("at the last instant: %v", err)
	}
	late, err := OpenQuote(ours, text, now.Add(QuoteValidity+time.Millisecond))
	if !errors.Is(err, ErrQuoteExpired) {
		t.Fatalf("after it: %v, want ErrQuoteExpired", err)
	}
	if late.Return != q.Return {
		t.Error("an expired quote does not say where to go back to")
	}
	if QuoteValidity >= wallet.ChargeMemory {
		t.Error("a quote outlives the ledger's memory of ids: paid twice, it would charge twice (invariant 3)")
	}
}

// Attacks: a reader rewrites the price, takes another site's quote, or sends
// rubbish.
func TestAForgedQuoteIsNotAccepted(t *testing.T) {
	genuine := quote(t).Seal(ours)
	body, tag, _ := strings.Cut(genuine, ".")
	message, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	cheaper := bytes.Replace(message, binary.AppendUvarint(nil, uint64(dime)), binary.AppendUvarint(nil, 1), 1)
	if bytes.Equal(cheaper, message) {
		t.Fatal("the attack changes nothing: the message holds the price in another form")
	}
	for name, text := range map[string]string{
		"a lower price":       base64.RawURLEncoding.EncodeToString(cheaper) + "." + tag,
		"another key":         quote(t).Seal(keyOf("theirs")),
		"no tag":              body,
		"an empty tag":        body + ".",
		"half a tag":          genuine[:len(genuine)-10],
		"a longer tag":        genuine + "AAAA",
		"two tags":            genuine + "." + tag,
		"empty":               "",
		"a point":             ".",
		"padded base64":       body + "=." + tag,
		"too long":            strings.Repeat("A", MaxQuote+1),
		"the tag of nothing":  "." + tagOf(nil),
		"rubbish well sealed": sealed([]byte("no quote at all")),
		"an empty message":    sealed(nil),
	} {
		if q, err := OpenQuote(ours, text, now); !errors.Is(err, ErrQuote) {
			t.Errorf("%s: %+v, %v; want ErrQuote", name, q, err)
		}
	}
}

func TestADoubleClickIsOnePayment(t *testing.T) {
	q := quote(t)
	mine, theirs := wallet.WalletID{1}, wallet.WalletID{2}
	if q.PaymentID(mine, OfferView) != q.PaymentID(mine, OfferView) {
		t.Error("the same click twice has two ids (invariant 3)")
	}
	if q.PaymentID(mine, OfferView) == q.PaymentID(theirs, OfferView) {
		t.Error("two wallets share an id: one could block the other's payment")
	}
	if q.PaymentID(mine, OfferView) == q.PaymentID(mine, OfferBundle) {
		t.Error("two offers share an id")
	}
	if !q.PaymentID(mine, OfferView).Time().Equal(q.ID.Time()) {
		t.Error("the payment's id does not carry the quote's time")
	}
}

func TestAnAddressTooLongToGoBackToIsForgotten(t *testing.T) {
	q := quote(t)
	if got := NewQuote(q.ID, q.Rule, q.Resource, "/"+strings.Repeat("x", MaxReturn), now).Return; got != "" {
		t.Errorf("kept %d bytes", len(got))
	}
}

// The longest quote that can be made is one that can be opened.
func TestTheLongestQuoteOpens(t *testing.T) {
	q := quote(t)
	q.Rule = Rule{
		Name: strings.Repeat("r", wallet.MaxRule), Price: wallet.MaxAmount, Window: wallet.MaxWindow,
		Bundle: Bundle{Visits: wallet.MaxVisits, Price: wallet.MaxAmount, Validity: wallet.MaxValidity},
	}
	q = NewQuote(q.ID, q.Rule, Resource("h", "/"+strings.Repeat("k", wallet.MaxResource)), "/"+strings.Repeat("\xff", MaxReturn-1), now)
	text := q.Seal(ours)
	opened, err := OpenQuote(ours, text, now)
	if err != nil {
		t.Fatalf("a quote of %d bytes: %v", len(text), err)
	}
	if !opened.Expires.Equal(q.Expires) {
		t.Errorf("it expires at %v, want %v", opened.Expires, q.Expires)
	}
	if opened.Expires = q.Expires; opened != q {
		t.Errorf("it opens as %+v", opened)
	}
}

func FuzzOpenQuote(f *testing.F) {
	f.Add(quote(f).Seal(ours))
	f.Add(sealed([]byte{messageFormat}))
	f.Add(".")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := OpenQuote(ours, text, now)
		if err == nil && q.Seal(ours) != text {
			t.Fatalf("%q opens as a quote that seals to %q", text, q.Seal(ours))
		}
	})
}
