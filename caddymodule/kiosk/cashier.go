package kiosk

import (
	"crypto/cipher"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The reasons why a request gets no answer of its own.
var (
	// ErrUnauthorized is a request that is no kiosk's, or was seen before.
	ErrUnauthorized = errors.New("this is no request of a kiosk of this paywall")
	// ErrDisabled is a kiosk that the operator has switched off.
	ErrDisabled = errors.New("this kiosk has been disabled by the operator")
	// ErrCode is a code, a grant or a claim that is none, is another's, or is over.
	ErrCode = errors.New("the code is not valid, has been used, or is too old")
	// ErrTaken is a card that belongs to another wallet.
	ErrTaken = errors.New("the card belongs to another wallet")
	// ErrInvalid is a request that breaks a limit.
	ErrInvalid = errors.New("not a valid request of a kiosk")
	// ErrBusy is a register that others change all the time. Nothing has happened.
	ErrBusy = errors.New("too many at once; try again")
)

// Product is what a tap pays for.
type Product struct {
	Title string
	Price wallet.Amount
	Proof Tier          // the least that a card has to prove for it
	Opens time.Duration // how long pages are open in the kiosk's browser; zero: none are
}

// Tier is how much a card has proved.
type Tier uint8

// The tiers. A number alone is anybody's who has seen it.
const (
	TierUID    Tier = iota // its number
	TierSUN                // a message that it has signed, with a counter
	TierMutual             // that it has its key, by a challenge of the paywall's
	TierEMV                // that it is a bank card of its scheme, as the kiosk says that has checked it
	tiers
)

var tierNames = [tiers]string{TierUID: "uid", TierSUN: "sun", TierMutual: "mutual", TierEMV: "emv"}

func (t Tier) String() string {
	if t < tiers {
		return tierNames[t]
	}
	return "unknown"
}

// ParseTier reads the name of a tier.
func ParseTier(name string) (Tier, bool) {
	for t := range tiers {
		if tierNames[t] == name {
			return t, true
		}
	}
	return 0, false
}

// TierNames are the names of all tiers, the least first.
func TierNames() []string { return slices.Clone(tierNames[:]) }

// Limits are what one card may cost. Zero: nothing at all.
type Limits struct {
	Tap wallet.Amount `json:"tap"` // at most, each
	Day wallet.Amount `json:"day"` // at most, in a day of UTC
}

// DefaultLimits are those of a paywall that says nothing else. Bank cards pay nothing there:
// who takes them is in the scope of PCI DSS, and has to say so.
var DefaultLimits = map[Tier]Limits{
	TierUID:    {Tap: 2 * wallet.Unit, Day: 10 * wallet.Unit},
	TierSUN:    {Tap: 20 * wallet.Unit, Day: 100 * wallet.Unit},
	TierMutual: {Tap: 100 * wallet.Unit, Day: 500 * wallet.Unit},
}

// Keys are the paywall's, for kiosks and cards alone.
type Keys struct {
	Codes wallet.Key  // of codes for enrolment
	UIDs  []byte      // of the hashes of cards' numbers, 32 bytes
	PINs  wallet.Key  // of the hashes of cards' PINs
	Cards card.Key    // from which each card's own keys are derived
	Seal  cipher.AEAD // of grants and claims

	Handles []byte // of how a kiosk calls a card that may pay offline, 32 bytes
}

// Cashier judges what kiosks ask for. Its fields do not change while it is used, and it
// is safe for concurrent use.
type Cashier struct {
	Ledger   wallet.Ledger
	Keys     Keys
	Products map[string]Product
	Limits   map[Tier]Limits
	Terms    map[string]Terms // of kiosks, by their names; of those that have none, nothing more holds
	Currency wallet.Currency
	Offline  *Offline // nil: kiosks grant nothing by themselves

	Hold  time.Duration // how long the money of a tap waits for its capture
	Guard time.Duration // how long the same card and product are the same purchase

	ShowBalance bool // tells a kiosk what is left after a granted tap

	Now    func() time.Time
	Random io.Reader
	Notes  *Notes

	// Judged is told of each verdict, or that there is none, and Ended of what was granted
	// and has come to its end. Nil: nobody is.
	Judged func(v wire.Verdict, err error)
	Ended  func(outcome string)
}

func (c *Cashier) newID() (wallet.OpID, error) { return wallet.NewOpID(c.Now(), c.Random) }

// product is a product as kiosks are told of it.
func (c *Cashier) product(name string) (wire.Product, Product, bool) {
	p, found := c.Products[name]
	if !found {
		return wire.Product{Name: name}, p, false
	}
	shown := wire.Product{Name: name, Title: p.Title, Price: c.Currency.Format(p.Price)}
	if p.Proof > TierUID {
		shown.Proof = p.Proof.String()
	}
	shown.Online = p.Opens > 0
	return shown, p, true
}
