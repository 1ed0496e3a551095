package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	cardPrefix  = "card:"
	indexPrefix = "cards:"

	// MaxCards is how many a wallet may have.
	MaxCards = 20

	mostName = 40
)

// Card is what the paywall knows of a card that pays from a wallet.
type Card struct {
	ID         string          `json:"-"` // names it, and says nothing of its number
	Wallet     wallet.WalletID `json:"wallet"`
	Generation uint32          `json:"generation"` // of the wallet: a card goes with the credentials of its time
	Name       string          `json:"name,omitempty"`
	Tier       Tier            `json:"tier"` // what it had proved when it was added
	Version    uint32          `json:"version,omitempty"`
	Added      int64           `json:"added"`
	Blocked    bool            `json:"blocked,omitempty"`
	Own        *Limits         `json:"own,omitempty"` // its holder's, where they are lower
	Counter    uint32          `json:"counter,omitempty"`
	Day        string          `json:"day,omitempty"`
	Spent      wallet.Amount   `json:"spent,omitempty"` // on that day
	Last       lastTap         `json:"last,omitzero"`

	Offline  bool          `json:"offline,omitempty"`  // it may pay at kiosks that are cut off: its holder allows it
	Indebted bool          `json:"indebted,omitempty"` // it owes for that, and pays nothing until it has
	Granted  []wallet.OpID `json:"granted,omitempty"`  // the newest taps that kiosks have granted by themselves
}

// lastTap is the tap that the card was used for last.
type lastTap struct {
	Tap     wallet.OpID `json:"tap"`
	Kiosk   string      `json:"kiosk"`
	Product string      `json:"product"`
	Time    int64       `json:"time"`
	Undone  bool        `json:"undone,omitempty"` // its money went back
}

func indexOf(owner wallet.WalletID) string { return indexPrefix + owner.String() + ":" }

func cardName(name string) (string, error) {
	name = strings.TrimSpace(cut(name))
	if len([]rune(name)) > mostName {
		return "", fmt.Errorf("%w: a card's name has at most %d characters", ErrInvalid, mostName)
	}
	return name, nil
}

// Cards are a wallet's, in no order that means anything.
func (c *Cashier) Cards(ctx context.Context, owner wallet.WalletID) (all []Card, err error) {
	err = c.each(ctx, indexOf(owner), func(r wallet.Register) error {
		id := strings.TrimPrefix(r.Name, indexOf(owner))
		one, _, err := load[Card](ctx, c, cardPrefix+id)
		if errors.Is(err, wallet.ErrNotFound) || err == nil && one.Wallet != owner {
			return nil
		}
		one.ID = id
		all = append(all, one)
		return err
	})
	return all, err
}

// ChangeCard changes a card of a wallet: its name, its limits, whether it is blocked.
// wallet.ErrNotFound where the wallet has none of the ID.
func (c *Cashier) ChangeCard(ctx context.Context, owner wallet.WalletID, id string, change func(*Card) error) (Card, error) {
	own := func(one *Card) error {
		if one.Wallet != owner {
			return wallet.ErrNotFound
		}
		return change(one)
	}
	// Kiosks that are cut off have to hear of it first: a crash between the two stops a card
	// too much, and not too little.
	before, _, err := load[Card](ctx, c, cardPrefix+id)
	if after := before; err == nil && before.paysOffline() && own(&after) == nil && !after.paysOffline() {
		err = c.deny(ctx, cardPrefix+id)
	}
	if err != nil {
		return before, err
	}
	one, err := update(ctx, c, cardPrefix+id, own)
	one.ID = id
	return one, err
}

// RemoveCard makes a card nobody's. Whoever holds it can claim it then.
func (c *Cashier) RemoveCard(ctx context.Context, owner wallet.WalletID, id string) error {
	one, put, err := load[Card](ctx, c, cardPrefix+id)
	if err == nil && one.Wallet != owner {
		err = wallet.ErrNotFound
	}
	if err != nil {
		return err
	}
	if one.paysOffline() {
		if err := c.deny(ctx, cardPrefix+id); err != nil {
			return err
		}
	}
	if err := c.save(ctx, cardPrefix+id, put, nil); err != nil {
		if errors.Is(err, errChanged) {
			err = ErrBusy
		}
		return err
	}
	_, put, err = load[json.RawMessage](ctx, c, indexOf(owner)+id)
	if err == nil {
		err = c.save(ctx, indexOf(owner)+id, put, nil)
	}
	if errors.Is(err, wallet.ErrNotFound) || errors.Is(err, errChanged) {
		err = nil
	}
	return err
}

// Check returns ErrInvalid for what a holder may not make of a card.
func (one *Card) Check() error {
	name, err := cardName(one.Name)
	if err != nil {
		return err
	}
	one.Name = name
	if l := one.Own; l != nil && (l.Tap < 0 || l.Day < 0 || l.Tap > wallet.MaxAmount || l.Day > wallet.MaxAmount) {
		return fmt.Errorf("%w: a card's limits are amounts", ErrInvalid)
	}
	return nil
}
