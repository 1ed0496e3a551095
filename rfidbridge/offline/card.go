package offline

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// known is a card that has paid here online.
type known struct {
	Handle string        `json:"handle"`
	Mutual bool          `json:"mutual,omitempty"` // it has to prove that it has its key
	Kind   card.Kind     `json:"kind,omitempty"`
	Key    secret        `json:"key,omitempty"`
	Tap    wallet.Amount `json:"tap"` // at most, each

	Lease wallet.OpID   `json:"lease,omitzero"`
	Left  wallet.Amount `json:"left,omitempty"` // of the lease, but for what the paywall has no record of
	Lent  wallet.Amount `json:"lent,omitempty"` // when it was asked for
	Asked int64         `json:"asked"`
	Until int64         `json:"until,omitempty"`

	Risk wire.Risk `json:"risk,omitzero"` // its bounds without a lease

	// What was granted without a lease since it has paid online, as far as the paywall has
	// the records.
	Sum  wallet.Amount `json:"sum,omitempty"`
	Taps int           `json:"taps,omitempty"`

	Seen   int64 `json:"seen"` // milliseconds since 1970, when it has last paid online
	Denied bool  `json:"denied,omitempty"`
}

// secret is the key of a card. It prints as a placeholder.
type secret []byte

// Format implements [fmt.Formatter].
func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[card key]") }

// mostCards are remembered; those that were longest not here are forgotten first.
const mostCards = 1000

// remember puts a card down.
func (s *state) remember(id tap.ID, one known) {
	if _, there := s.Cards[id]; !there && len(s.Cards) >= mostCards {
		var oldest tap.ID
		first := true
		for other, o := range s.Cards {
			if first || o.Seen < s.Cards[oldest].Seen {
				oldest, first = other, false
			}
		}
		delete(s.Cards, oldest)
	}
	s.Cards[id] = &one
}

var readNumber = []byte{0xFF, 0xCA, 0x00, 0x00, 0x00} // the reader's own (PC/SC, part 3)

// Identify is how this kiosk tells a card from others, whatever it shows: by its number, which
// is read beside a message, since that is another each time; a bank card by its token. ok is
// false for a card that draws its number anew.
func (a *Authority) Identify(shown wire.Card, exchange card.Exchange) (id tap.ID, ok bool) {
	number := shown.UID
	switch {
	case shown.Bank:
		return a.hash('t', shown.Token[:]), true
	case shown.SUN && exchange == nil:
		return id, false
	case shown.SUN:
		answer, err := exchange(readNumber)
		end := len(answer) - 2
		if err != nil || end < 0 || answer[end] != 0x90 || answer[end+1] != 0x00 {
			return id, false
		}
		if number, err = uid.New(answer[:end]); err != nil {
			return id, false
		}
	}
	if number.Random() || len(number.Bytes()) == 0 {
		return id, false
	}
	return a.hash('n', number.Bytes()), true
}

func (a *Authority) hash(kind byte, number []byte) tap.ID {
	mac := hmac.New(sha256.New, a.ids[:])
	mac.Write([]byte{kind})
	mac.Write(number)
	return tap.ID(mac.Sum(nil))
}
