package kiosk

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	cardPrefix  = "card:"
	indexPrefix = "cards:"

	// MaxCards is how many a wallet may have that pay; it keeps as many that have been
	// replaced.
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
	Replaced   string          `json:"replaced,omitempty"` // the card that has its place: it pays no more
	Replaces   string          `json:"replaces,omitempty"` // the card whose place it has not got yet: till then it pays nothing
	Own        *Limits         `json:"own,omitempty"`      // its holder's, where they are lower
	PIN        *PIN            `json:"pin,omitempty"`
	Counter    uint32          `json:"counter,omitempty"`
	Day        string          `json:"day,omitempty"`
	Spent      wallet.Amount   `json:"spent,omitempty"` // on that day
	Last       lastTap         `json:"last,omitzero"`
	Asking     lastTap         `json:"asking,omitzero"` // the tap that a PIN was asked for last: what the card has shown was accepted

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
	NoPIN   bool        `json:"no_pin,omitempty"` // it was paid without the PIN that the card has
}

// is reports whether it is a tap.
func (l lastTap) is(t wire.Tap, kiosk string) bool {
	return l.Tap == t.ID && l.Kiosk == kiosk && l.Product == t.Product
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

// loadCard reads a card of a wallet: wallet.ErrNotFound where the wallet has none of the ID.
func (c *Cashier) loadCard(ctx context.Context, owner wallet.WalletID, id string) (one Card, put wallet.OpID, err error) {
	if !isCardID(id) {
		return one, put, wallet.ErrNotFound
	}
	one, put, err = load[Card](ctx, c, cardPrefix+id)
	if err == nil && one.Wallet != owner {
		err = wallet.ErrNotFound
	}
	one.ID = id
	return one, put, err
}

func isCardID(id string) bool {
	raw, err := hex.DecodeString(id)
	return err == nil && len(raw) == len(uid.Hash{})
}

// ChangeCard changes a card of a wallet: its name, its limits, whether it is blocked.
// wallet.ErrNotFound where the wallet has none of the ID.
func (c *Cashier) ChangeCard(ctx context.Context, owner wallet.WalletID, id string, change func(*Card) error) (Card, error) {
	if !isCardID(id) {
		return Card{}, wallet.ErrNotFound
	}
	return c.updateCard(ctx, cardPrefix+id, func(one *Card) error {
		if one.Wallet != owner {
			return wallet.ErrNotFound
		}
		err := change(one)
		one.forgive()
		return err
	})
}

// updateCard changes the card of a register. Every change of a card goes this way, but for
// its removal: kiosks that are cut off have to hear of one that stops first, so that a crash
// between the two stops a card too much, and not too little.
func (c *Cashier) updateCard(ctx context.Context, register string, change func(*Card) error) (Card, error) {
	id := strings.TrimPrefix(register, cardPrefix)
	one, err := update(ctx, c, register, func(one *Card) error {
		paid := one.paysOffline()
		one.ID = id
		if err := change(one); err != nil || !paid || one.paysOffline() {
			return err
		}
		return c.deny(ctx, register)
	})
	one.ID = id
	return one, err
}

// RemoveCard makes a card nobody's. Whoever holds it can claim it then. One that has been
// replaced can be claimed by nobody before.
func (c *Cashier) RemoveCard(ctx context.Context, owner wallet.WalletID, id string) error {
	one, put, err := c.loadCard(ctx, owner, id)
	if err != nil {
		return err
	}
	return c.remove(ctx, one, put)
}

// remove is the one way in which a card is removed, as it was loaded.
func (c *Cashier) remove(ctx context.Context, one Card, put wallet.OpID) error {
	if one.paysOffline() {
		if err := c.deny(ctx, cardPrefix+one.ID); err != nil {
			return err
		}
	}
	if err := c.save(ctx, cardPrefix+one.ID, put, nil); err != nil {
		if errors.Is(err, errChanged) {
			err = ErrBusy
		}
		return err
	}
	index := indexOf(one.Wallet) + one.ID
	_, put, err := load[json.RawMessage](ctx, c, index)
	if err == nil {
		err = c.save(ctx, index, put, nil)
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
