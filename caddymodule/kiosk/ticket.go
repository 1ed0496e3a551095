package kiosk

import (
	"encoding/json"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	ticketLife = 5 * time.Minute
	ticketSeal = "ticket "
)

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
	if c.Offline == nil || !one.paysOffline() || c.offlineProof(p) < max(c.Offline.Proof, c.Terms[k.Name].Proof) {
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
