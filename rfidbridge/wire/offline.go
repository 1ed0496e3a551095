package wire

import (
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// MaxRecords is the most records that one Sync has.
const MaxRecords = 32

// Offline is what a kiosk may grant by itself, and what it needs for it.
type Offline struct {
	Proof  string `json:"proof"`  // the least tier of a card: uid, with a lease alone, or mutual
	Risk   Risk   `json:"risk"`   // without a lease
	Age    int64  `json:"age"`    // milliseconds without the paywall after which nothing is granted without a lease
	Denied int64  `json:"denied"` // milliseconds without news of denied cards after which nothing is granted

	Head    Head    `json:"head"` // the newest record that the paywall has
	Denials Denials `json:"denials"`
}

// Risk bounds what is granted without a lease. Amounts are decimals; none is zero.
type Risk struct {
	Tap   string `json:"tap,omitempty"`   // at most, each
	Card  string `json:"card,omitempty"`  // at most, of one card since it has last paid here online
	Taps  int    `json:"taps"`            // and so often
	Total string `json:"total,omitempty"` // at most, of all cards since the paywall has had all records
	Count int    `json:"count"`           // and so often
}

// Denials are the cards that were denied since the number that a State has named.
type Denials struct {
	Number uint64   `json:"number"`          // for the next State
	Cards  []string `json:"cards,omitempty"` // their handles
	All    bool     `json:"all,omitempty"`   // it was too long ago: every card, until it pays online again
	More   bool     `json:"more,omitempty"`  // there are more: ask again
}

// LeaseRequest asks for what the card of a granted tap may pay offline.
type LeaseRequest struct {
	Ticket string `json:"ticket"`
}

// Lease is how a kiosk recognises a card, and what was set aside for it here.
type Lease struct {
	Handle string      `json:"handle"` // of the card at this kiosk
	Proof  string      `json:"proof"`  // what the card has to prove: uid or mutual
	Kind   card.Kind   `json:"kind,omitempty"`
	Key    []byte      `json:"key,omitempty"`    // of the card, for that: see OpenCardKey
	Tap    string      `json:"tap,omitempty"`    // the most that one tap may cost, by the card's limits
	ID     wallet.OpID `json:"lease,omitzero"`   // zero: nothing is set aside
	Amount string      `json:"amount,omitempty"` // that is left of it
	Until  int64       `json:"until,omitempty"`  // milliseconds since 1970
	Risk   Risk        `json:"risk,omitzero"`    // its own bounds without a lease, as the paywall will hold them
	Sum    string      `json:"sum,omitempty"`    // that counts as granted without a lease
	Taps   int         `json:"taps"`             // and how often
}

// Sync hands over records, in their order.
type Sync struct {
	Records []Signed `json:"records"`
}

// Synced answers a Sync: all of it is settled.
type Synced struct {
	Head     Head      `json:"head"`
	Outcomes []Outcome `json:"outcomes"` // of the records, in their order
}

// The outcomes of records.
const (
	Settled  Outcome = "settled"  // its money is taken, or will be with its lease
	Owed     Outcome = "owed"     // the wallet was short: the card is denied until it has paid
	Reversed Outcome = "reversed" // nothing was handed out, and nothing taken
	Lost     Outcome = "lost"     // it was beyond what the kiosk might grant, in part or whole
)
