package kiosk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Offline is what kiosks may grant by themselves while they do not reach the paywall, to
// cards whose holders allow it. The bounds of a card are the paywall's to hold, also against
// a kiosk that lies; those of a kiosk altogether, and the times, are the kiosk's, and what is
// beyond them is flagged.
type Offline struct {
	Lease    wallet.Amount // that is set aside for a card at a kiosk; zero: nothing
	LeaseFor time.Duration // how long it can be spent; it goes back a while later

	Proof Tier // the least of a card: TierUID, with a lease alone, or TierMutual
	Risk  Risk

	Age    time.Duration // without the paywall, after which nothing is granted without a lease
	Denied time.Duration // without news of denied cards, after which nothing is granted
}

// Risk bounds what is granted without a lease. Zero: nothing is.
type Risk struct {
	Tap   wallet.Amount // each
	Card  wallet.Amount // of one card at a kiosk since it has last paid there online
	Taps  int           // and so often
	Total wallet.Amount // of all cards at a kiosk since the paywall has had its records
	Count int           // and so often
}

const (
	standingPrefix = "offline:"

	// leaseGrace is how long after its end a lease waits for what was spent of it.
	leaseGrace = 24 * time.Hour
)

// standing is what the paywall knows of a card that may pay offline at a kiosk. It outlives
// the card's own register, so that what was paid before the card was removed is settled.
type standing struct {
	Key        []byte          `json:"key"`  // of the kiosk whose records count
	Card       string          `json:"card"` // its register
	Wallet     wallet.WalletID `json:"wallet"`
	Generation uint32          `json:"generation"`
	Proof      Tier            `json:"proof"`  // with which it pays
	Ticket     wallet.OpID     `json:"ticket"` // the newest tap online that a lease was asked for with

	// The bounds without a lease, as they were at that tap, and what was used of them.
	Risk Risk          `json:"risk"`
	Sum  wallet.Amount `json:"sum,omitempty"`
	Taps int           `json:"taps,omitempty"`

	Lease *lease `json:"lease,omitempty"`
	Was   closed `json:"was,omitzero"` // the lease before

	// The newest record that is in all this, and what it comes to: it may be sent again.
	Seq  uint64 `json:"seq,omitempty"`
	Last share  `json:"last,omitzero"`
}

// lease is money that was set aside.
type lease struct {
	ID      wallet.OpID   `json:"id"` // also of the hold
	Amount  wallet.Amount `json:"amount"`
	Until   int64         `json:"until"`             // for the kiosk
	Spent   wallet.Amount `json:"spent,omitempty"`   // by the records so far
	Product string        `json:"product,omitempty"` // what it was spent on, or "offline" for several things
	Held    bool          `json:"held,omitempty"`    // the money is set aside, and the kiosk may know of it
	Closing bool          `json:"closing,omitempty"` // nothing is added any more
}

// closed is a lease whose money is taken; what is left of it went back to the wallet.
type closed struct {
	ID   wallet.OpID   `json:"id"`
	Left wallet.Amount `json:"left"`
}

func standingName(kiosk, handle string) string { return standingPrefix + kiosk + ":" + handle }

// offline is what a kiosk is told of all this.
func (c *Cashier) offline(ctx context.Context, k Kiosk, heard uint64) (*wire.Offline, error) {
	ch, err := c.chain(ctx, k)
	if err != nil {
		return nil, err
	}
	denials, err := c.denials(ctx, k, heard)
	risk := c.Offline.Risk
	return &wire.Offline{
		Proof: max(c.Offline.Proof, min(c.Terms[k.Name].Proof, TierMutual)).String(),
		Risk: wire.Risk{
			Tap: c.text(risk.Tap), Card: c.text(risk.Card), Taps: risk.Taps, Total: c.text(risk.Total), Count: risk.Count,
		},
		Age: c.Offline.Age.Milliseconds(), Denied: c.Offline.Denied.Milliseconds(), Head: ch.head(), Denials: denials,
	}, err
}

// text is an amount for a kiosk; zero is none.
func (c *Cashier) text(amount wallet.Amount) string {
	if amount <= 0 {
		return ""
	}
	return c.Currency.Format(amount)
}

// handle is how a kiosk and the paywall speak of a card: two kiosks know it by two.
func (c *Cashier) handle(kiosk, id string) string {
	mac := hmac.New(sha256.New, c.Keys.Handles)
	mac.Write([]byte("handle\x00" + kiosk + "\x00" + id))
	return hex.EncodeToString(mac.Sum(nil))[:wire.HandleSize]
}
