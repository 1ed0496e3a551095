// Package wire is what a kiosk and a paywall say to each other: the addresses, the bodies
// in JSON, and the token by which a request is the kiosk's own.
//
// It promises that both sides read the same, that a request which was taken down from the
// network is good for nothing else and never again (see Token), and that neither the number
// of a card nor a key is printed with what holds it. It knows no cards' cryptography, no
// money and no HTTP: the paywall judges, the kiosk carries out.
package wire

import (
	"regexp"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// The addresses, all POST, below the paywall's site.
const (
	Prefix      = "/.paywall/kiosk/"
	EnrolPath   = Prefix + "enrol"
	StatePath   = Prefix + "state"
	TapPath     = Prefix + "tap"
	CardPath    = Prefix + "card"
	CapturePath = Prefix + "capture"
	ReleasePath = Prefix + "release"
	LeasePath   = Prefix + "lease"
	SyncPath    = Prefix + "sync"
)

// TapURLPath is the path of the address that a card shows to phones.
const TapURLPath = "/.paywall/tap"

// MaxBody is the most bytes that a body has, either way.
const MaxBody = 64 << 10

var name = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)

// IsName reports whether a text can name a kiosk or a product: 1 to 40 lower-case letters,
// digits and hyphens, none of them at an end.
func IsName(text string) bool { return name.MatchString(text) }

// Enrol asks to become a kiosk. It is the one request without a token.
type Enrol struct {
	Code string `json:"code"` // that the operator was given, good once and for minutes
	Key  []byte `json:"key"`  // the kiosk's public Ed25519 key
}

// Enrolled is the kiosk that one has become.
type Enrolled struct {
	Kiosk string `json:"kiosk"` // its name
}

// State is what a kiosk says of itself, every half minute.
type State struct {
	Version string   `json:"version"`
	Readers []Reader `json:"readers"`
	Backlog int      `json:"backlog"`           // taps whose end the paywall has not heard of
	Oldest  int64    `json:"oldest,omitempty"`  // milliseconds since 1970, of the oldest of them
	Denials uint64   `json:"denials,omitempty"` // up to which the kiosk has heard which cards are denied
}

// Reader is one reader of a kiosk.
type Reader struct {
	Name  string `json:"name"`
	Fault string `json:"fault,omitempty"` // why it reads nothing
}

// Policy answers a State: what there is to buy, and what the kiosk may grant by itself while
// the paywall does not answer.
type Policy struct {
	Currency string    `json:"currency"`
	Products []Product `json:"products"`
	Time     int64     `json:"time"`              // milliseconds since 1970, by the paywall's clock
	Offline  *Offline  `json:"offline,omitempty"` // nil: nothing
}

// Product is what a tap pays for.
type Product struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Price string `json:"price"`           // a decimal
	Proof string `json:"proof,omitempty"` // the least tier of a card; empty: uid

	Online bool `json:"online,omitempty"` // the paywall itself hands it out: there is none without
}

// Tap asks whether a card may have a product. Its ID makes it the same tap however often it
// is sent.
type Tap struct {
	ID      wallet.OpID `json:"tap"`
	Product string      `json:"product"`
	Card    Card        `json:"card"`
	Price   string      `json:"price"`           // that the kiosk has shown; the paywall's own counts
	Again   bool        `json:"again,omitempty"` // a second purchase that is meant

	Exchange bool    `json:"exchange,omitempty"` // the kiosk can carry commands to the card
	PINPad   bool    `json:"pin_pad,omitempty"`  // and ask whoever has tapped for a PIN
	Answer   *Answer `json:"answer,omitempty"`   // to what the paywall has asked for
}

// Ask is what the paywall wants before it judges: a command carried to the card, or a PIN.
// The same tap is sent again with an Answer.
type Ask struct {
	State   string `json:"state"` // sealed, for the Answer
	Command Hex    `json:"command,omitempty"`
	PIN     bool   `json:"pin,omitempty"`
	Wrong   bool   `json:"wrong,omitempty"` // the PIN before was
}

// Answer is what a kiosk has got for an Ask.
type Answer struct {
	State string `json:"state"`
	Card  Hex    `json:"card,omitempty"` // what the card has answered to the command
	PIN   PIN    `json:"pin,omitempty"`
}

// Outcome is what becomes of a tap.
type Outcome string

// The outcomes.
const (
	Asked   Outcome = "asked"   // something is wanted first: see Ask
	Granted Outcome = "granted" // the money is held: carry it out, then capture
	Unknown Outcome = "unknown" // nobody's card: whoever holds it may claim it
	Refused Outcome = "refused"
)

// Reason is why a tap is refused.
type Reason string

// The reasons.
const (
	NoMoney      Reason = "no_money"
	Blocked      Reason = "blocked"       // the card, by its holder
	Replaced     Reason = "replaced"      // another card has its place
	Frozen       Reason = "frozen"        // the wallet, by the operator
	TapLimit     Reason = "tap_limit"     // more than one tap of this card may cost
	DayLimit     Reason = "day_limit"     // more than this card may spend a day
	TierLimit    Reason = "tier_limit"    // more than a card that proves no more may spend
	Forged       Reason = "forged"        // the card's proof is not made with its key
	Replayed     Reason = "replayed"      // the card's message has been seen before
	ProofNeeded  Reason = "proof_needed"  // it was added with a proof, and has shown its number alone
	PINNeeded    Reason = "pin_needed"    // and the kiosk cannot ask for it
	PINBlocked   Reason = "pin_blocked"   // the card, by three wrong PINs
	NoIdentity   Reason = "no_identity"   // a number that the card draws anew each time
	NotTaken     Reason = "not_taken"     // a bank card, where none are
	NoProduct    Reason = "no_product"    // there is none of this name
	PriceChanged Reason = "price_changed" // since the kiosk has shown it
	JustPaid     Reason = "just_paid"     // the same card has just had the same here
)

// Reasons are all there are.
var Reasons = []Reason{
	NoMoney, Blocked, Replaced, Frozen, TapLimit, DayLimit, TierLimit, Forged, Replayed, ProofNeeded, PINNeeded, PINBlocked,
	NoIdentity, NotTaken, NoProduct, PriceChanged, JustPaid,
}

// Verdict answers a Tap.
type Verdict struct {
	ID      wallet.OpID `json:"tap"`
	Outcome Outcome     `json:"outcome"`
	Reason  Reason      `json:"reason,omitempty"`
	Product Product     `json:"product"`
	Ask     *Ask        `json:"ask,omitempty"`
	Grant   string      `json:"grant,omitempty"` // for Resolve: sealed, the kiosk cannot read it
	Claim   string      `json:"claim,omitempty"` // the code with which an unknown card is claimed
	Expires int64       `json:"expires,omitempty"`
	Balance string      `json:"balance,omitempty"` // in the wallet after a granted tap, where the operator has it shown
	Lapsed  wallet.OpID `json:"lapsed,omitzero"`   // a lease that is over, because this tap needed its money
	Ticket  string      `json:"ticket,omitempty"`  // for a Lease: the card may pay offline
}

// Resolve ends a granted tap: captured where the product was handed out, released where not.
type Resolve struct {
	Grant string `json:"grant"`
}

// Resolved answers a Resolve.
type Resolved struct {
	Outcome string `json:"outcome"` // captured, released, or expired: the money had gone back
	Amount  string `json:"amount"`  // that the site got, or the card's wallet got back
}
