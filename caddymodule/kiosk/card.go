package kiosk

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/uid"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	cardPrefix  = "card:"
	indexPrefix = "cards:"

	// MaxCards is how many a wallet may have.
	MaxCards = 20

	claimLife  = 5 * time.Minute
	keyVersion = 1 // of the keys that a card is personalised with
	mostName   = 40
)

// Card is what the paywall knows of a card that pays from a wallet.
type Card struct {
	ID         string          `json:"-"` // names it, and says nothing of its number
	Wallet     wallet.WalletID `json:"wallet"`
	Generation uint32          `json:"generation"` // of the wallet: a card goes with the credentials of its time
	Name       string          `json:"name,omitempty"`
	Tier       Tier            `json:"tier"` // it has to prove as much as when it was added
	Version    uint32          `json:"version,omitempty"`
	Added      int64           `json:"added"`
	Blocked    bool            `json:"blocked,omitempty"`
	Own        *Limits         `json:"own,omitempty"` // its holder's, where they are lower
	Counter    uint32          `json:"counter,omitempty"`
	Day        string          `json:"day,omitempty"`
	Spent      wallet.Amount   `json:"spent,omitempty"` // on that day
	Last       lastTap         `json:"last,omitzero"`
}

// lastTap is the tap that the card was used for last.
type lastTap struct {
	Tap     wallet.OpID `json:"tap"`
	Kiosk   string      `json:"kiosk"`
	Product string      `json:"product"`
	Time    int64       `json:"time"`
	Undone  bool        `json:"undone,omitempty"` // its money went back
}

// proof is what a card has shown, as far as it can be judged without knowing whose it is.
type proof struct {
	hash     uid.Hash
	register string
	tier     Tier
	sun      card.SUN
	uid      uid.UID
	mac      card.MAC
}

// read finds out which card it is. A SUN message that nobody has signed yet proves nothing:
// see verify.
func (c *Cashier) read(shown wire.Card) (p proof, reason wire.Reason) {
	p.uid, p.mac = shown.UID, shown.MAC
	if shown.SUN {
		p.tier = TierSUN
		var err error
		if p.sun, err = card.OpenSUN(card.Bolt(c.Keys.Cards, card.UID{}, keyVersion).Keys[1], shown.PICC); err != nil {
			return p, wire.Forged
		}
		if p.uid, err = uid.New(p.sun.UID[:]); err != nil {
			return p, wire.Forged
		}
	}
	if p.uid.Random() {
		return p, wire.NoIdentity
	}
	var err error
	if p.hash, err = p.uid.Hash(c.Keys.UIDs); err != nil {
		return p, wire.NoIdentity
	}
	p.register = cardPrefix + hex.EncodeToString(p.hash[:])
	return p, ""
}

// verify reports whether the card has signed its message with its own key.
func (c *Cashier) verify(p proof, version uint32) bool {
	if p.tier == TierUID {
		return true
	}
	return p.sun.Verify(card.Bolt(c.Keys.Cards, p.sun.UID, version).Keys[2], nil, p.mac) == nil
}

// newClaim is the code with which whoever holds an unknown card makes it theirs.
func (c *Cashier) newClaim(p proof) string {
	return c.seal(claim{
		Card: p.hash, Tier: p.tier, Counter: p.sun.Counter, Expires: c.Now().Add(claimLife).UnixMilli(),
	}.bytes(), claimSeal)
}

// AddCard makes a card a wallet's, by the claim that a kiosk has shown. Again it changes
// nothing. ErrCode, ErrTaken, ErrInvalid.
func (c *Cashier) AddCard(ctx context.Context, owner wallet.Wallet, sealed, name string) (Card, error) {
	text, err := c.open(sealed, claimSeal)
	if err != nil {
		return Card{}, err
	}
	var given claim
	if given.read(text) != nil || given.Expires <= c.Now().UnixMilli() {
		return Card{}, ErrCode
	}
	if name, err = cardName(name); err != nil {
		return Card{}, err
	}
	id := hex.EncodeToString(given.Card[:])
	there, _, err := load[Card](ctx, c, cardPrefix+id)
	switch {
	case err == nil && there.Wallet == owner.ID:
		there.ID = id
		return there, nil
	case err == nil:
		return Card{}, ErrTaken
	case !errors.Is(err, wallet.ErrNotFound):
		return Card{}, err
	}
	if have, err := c.Cards(ctx, owner.ID); err != nil || len(have) >= MaxCards {
		if err == nil {
			err = fmt.Errorf("%w: a wallet has at most %d cards", ErrInvalid, MaxCards)
		}
		return Card{}, err
	}
	fresh := Card{
		ID: id, Wallet: owner.ID, Generation: owner.Generation, Name: name, Tier: given.Tier, Version: keyVersion,
		Added: c.Now().UnixMilli(), Counter: given.Counter,
	}
	// The index first: what it lists and no card says so is left out.
	if err := c.save(ctx, indexOf(owner.ID)+id, wallet.OpID{}, true); err != nil && !errors.Is(err, errChanged) {
		return Card{}, err
	}
	if err := c.save(ctx, cardPrefix+id, wallet.OpID{}, fresh); errors.Is(err, errChanged) {
		return Card{}, ErrTaken
	} else if err != nil {
		return Card{}, err
	}
	return fresh, nil
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
	one, err := update(ctx, c, cardPrefix+id, func(one *Card) error {
		if one.Wallet != owner {
			return wallet.ErrNotFound
		}
		return change(one)
	})
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
