package tap

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// ID is how a kiosk tells a card from others, by a key of its own. The zero ID is a card
// that it cannot tell.
type ID [32]byte

// MarshalText implements [encoding.TextMarshaler].
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (id *ID) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(id) {
		return errID
	}
	_, err := hex.Decode(id[:], text)
	return err
}

var errID = errors.New("this is not how a card is told")

// Authority decides on taps while the paywall does not answer; see package offline.
type Authority interface {
	// Resume takes up the grants that the journal has, in their order.
	Resume(grants []string) error

	// Decides reports whether there is anything that it might grant.
	Decides() bool

	// Grant decides on a tap, and returns what it is settled by. Where it grants nothing,
	// reason is why, or empty if that is for the paywall to say.
	Grant(p Presented, t wire.Tap, product wire.Product) (grant string, reason wire.Reason, err error)

	// Reverse is the grant of what was not handed out.
	Reverse(grant string) (string, error)

	// Settle hands grants over to the paywall, the oldest first. After an error all of
	// them are handed over again.
	Settle(ctx context.Context, grants []string) error

	// Granted hears of a tap that the paywall has granted.
	Granted(p Presented, v wire.Verdict)
}
