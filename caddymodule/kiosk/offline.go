package kiosk

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
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
	ticketLife = 5 * time.Minute
	ticketSeal = "ticket "
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

// ticket is with what a kiosk asks for a lease: that a card has paid there just now. It has
// the card's number, since its key is derived from that, and the paywall keeps none.
type ticket struct {
	Tap     wallet.OpID `json:"t"`
	Card    string      `json:"c"` // its register
	Number  wire.Hex    `json:"n"`
	Kind    card.Kind   `json:"k,omitempty"`
	Tier    Tier        `json:"p"`
	Version uint32      `json:"v"`
	Expires int64       `json:"x"`
}

// newTicket is for a card that was granted a tap; empty where it may not pay offline.
func (c *Cashier) newTicket(k Kiosk, tap wallet.OpID, p proof, one Card) (string, error) {
	if c.Offline == nil || !one.Offline || c.offlineProof(p) < max(c.Offline.Proof, c.Terms[k.Name].Proof) {
		return "", nil
	}
	text, err := json.Marshal(ticket{
		Tap: tap, Card: p.register, Number: p.uid.Bytes(), Kind: p.kind, Tier: p.tier, Version: one.Version,
		Expires: c.Now().Add(ticketLife).UnixMilli(),
	})
	return c.seal(text, ticketSeal+k.Name), err
}

// offlineProof is what a card can prove to a kiosk alone: that it has its key, or nothing.
func (c *Cashier) offlineProof(p proof) Tier {
	if _, ours := p.number(); ours && p.kind != "" && (p.signed || p.tier >= TierMutual) {
		return TierMutual
	}
	return TierUID
}

func (t ticket) proof() Tier {
	if t.Kind != "" && t.Tier > TierUID && len(t.Number) == len(card.UID{}) {
		return TierMutual
	}
	return TierUID
}

// Lease admits the card of a granted tap to a kiosk, and sets money aside for it there
// where the wallet has some. It is asked for after the tap, which need not wait for it; again
// it is the same. ErrCode where the ticket is none, or the card may not pay offline any more.
func (c *Cashier) Lease(ctx context.Context, k Kiosk, r wire.LeaseRequest) (wire.Lease, error) {
	text, err := c.open(r.Ticket, ticketSeal+k.Name)
	if err != nil {
		return wire.Lease{}, err
	}
	var t ticket
	if json.Unmarshal(text, &t) != nil || t.Expires <= c.Now().UnixMilli() || c.Offline == nil {
		return wire.Lease{}, ErrCode
	}
	one, _, err := load[Card](ctx, c, t.Card)
	switch {
	case errors.Is(err, wallet.ErrNotFound), err == nil && !one.paysOffline():
		return wire.Lease{}, ErrCode
	case err != nil:
		return wire.Lease{}, err
	}
	handle := c.handle(k.Name, strings.TrimPrefix(t.Card, cardPrefix))
	s, err := c.admit(ctx, k, handle, t, one)
	if err != nil {
		return wire.Lease{}, err
	}
	if s, err = c.lend(ctx, k, handle, t, s, one); err != nil {
		return wire.Lease{}, err
	}
	return c.leased(k, handle, t, s, one)
}

// paysOffline reports whether a card's holder allows that, and nobody stops it. A kiosk that
// is cut off cannot compare a PIN, and so a card that has one waits for the paywall.
func (one *Card) paysOffline() bool {
	return one.Offline && one.PIN == nil && one.Replaced == "" && one.Replaces == "" && !one.Blocked && !one.Indebted
}

// admit notes that the card has paid at the kiosk: its bounds begin anew. A ticket does so
// once, and an older one not at all.
func (c *Cashier) admit(ctx context.Context, k Kiosk, handle string, t ticket, one Card) (standing, error) {
	return upsert(ctx, c, standingName(k.Name, handle), func(s *standing) error {
		if !t.Tap.Time().After(s.Ticket.Time()) && s.Ticket != (wallet.OpID{}) {
			return errKeep
		}
		if s.Wallet != one.Wallet && s.Lease != nil {
			return fmt.Errorf("%w: the lease of the card's wallet before is not settled", ErrBusy)
		}
		if !bytes.Equal(s.Key, k.Key) { // the records of another machine that had the name
			s.Key, s.Seq, s.Last = k.Key, 0, share{}
		}
		s.Card, s.Wallet, s.Generation, s.Ticket, s.Proof = t.Card, one.Wallet, one.Generation, t.Tap, t.proof()
		s.Risk, s.Sum, s.Taps = c.Offline.Risk, 0, 0
		if s.Proof < TierMutual {
			s.Risk = Risk{}
		}
		return nil
	})
}

// leased is what the kiosk is told.
func (c *Cashier) leased(k Kiosk, handle string, t ticket, s standing, one Card) (wire.Lease, error) {
	limit := c.limits(k.Name, t.Tier).Tap
	if one.Own != nil {
		limit = min(limit, one.Own.Tap)
	}
	l := wire.Lease{Handle: handle, Proof: t.proof().String(), Kind: t.Kind, Tap: c.text(limit), Sum: c.text(s.Sum), Taps: s.Taps}
	if s.Lease != nil && s.Lease.Held && !s.Lease.Closing {
		l.ID, l.Until, l.Amount = s.Lease.ID, s.Lease.Until, c.text(s.Lease.Amount-s.Lease.Spent)
	}
	if t.proof() < TierMutual {
		l.Kind = ""
		return l, nil
	}
	key := card.Offline.Key(card.Bolt(c.Keys.Cards, card.UID(t.Number), t.Version))
	var err error
	l.Key, err = wire.SealCardKey(k.Key, handle, key[:])
	return l, err
}
