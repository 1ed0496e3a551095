package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

const (
	debtPrefix = "debt:"

	// dueWindow is how long the ledger remembers that a due is paid.
	dueWindow = 30 * 24 * time.Hour
)

// due is money for what was handed out offline. It is paid once, whoever collects it however
// often: by the grant that the ledger writes in one step with the money (invariant 4). One
// that cannot be paid is a debt, and a register.
type due struct {
	ID         wallet.OpID     `json:"-"` // of the tap, or of the lease
	Wallet     wallet.WalletID `json:"-"`
	Generation uint32          `json:"generation"`
	Amount     wallet.Amount   `json:"amount"`
	Product    string          `json:"product"`
	Card       string          `json:"card"` // its register
	Kiosk      string          `json:"kiosk"`
	Time       int64           `json:"time"` // of the tap
}

func (d due) rule() string     { return "kiosk/" + d.Product }
func (d due) resource() string { return OfflineResource + d.ID.String() }
func (d due) register() string { return debtPrefix + d.Wallet.String() + ":" + d.ID.String() }

// OfflineResource is how the resources of dues begin, in the books.
const OfflineResource = "kiosk offline "

// collect takes the money, or notes that it is owed.
func (c *Cashier) collect(ctx context.Context, d due) (paid bool, err error) {
	if paid, err = c.charge(ctx, d, d.Generation); err != nil || paid {
		return paid, err
	}
	return false, c.owe(ctx, d)
}

func (c *Cashier) charge(ctx context.Context, d due, generation uint32) (paid bool, err error) {
	id, err := c.newID()
	if err != nil {
		return false, err
	}
	receipt, err := c.Ledger.Charge(ctx, wallet.Charge{
		ID: id, Wallet: d.Wallet, Generation: generation, Rule: d.rule(), Resource: d.resource(), Price: d.Amount, Window: dueWindow,
	})
	return receipt.Outcome.Done() || receipt.Outcome == wallet.Granted, err
}

// owe writes a debt down, and stops the card. What is lost between two steps is made up for
// when the record is sent again.
func (c *Cashier) owe(ctx context.Context, d due) error {
	if err := c.save(ctx, d.register(), wallet.OpID{}, d); err != nil && !errors.Is(err, errChanged) {
		return err
	}
	return c.indebt(ctx, d.Card, d.Wallet, true)
}

func (c *Cashier) indebt(ctx context.Context, register string, of wallet.WalletID, indebted bool) error {
	_, err := c.updateCard(ctx, register, func(one *Card) error {
		if one.Wallet != of || one.Indebted == indebted {
			return errKeep
		}
		one.Indebted = indebted
		return nil
	})
	if errors.Is(err, wallet.ErrNotFound) { // removed meanwhile
		err = nil
	}
	return err
}

// Debt is what a wallet owes for a tap, or for the taps of a lease.
type Debt struct {
	Kiosk, Product string
	Amount         wallet.Amount
	Time           time.Time
}

// Debts are those of all wallets.
func (c *Cashier) Debts(ctx context.Context) (all []Debt, err error) {
	err = c.each(ctx, debtPrefix, func(r wallet.Register) error {
		d, err := readDue(r)
		all = append(all, Debt{d.Kiosk, d.Product, d.Amount, time.UnixMilli(d.Time).UTC()})
		return err
	})
	return all, err
}

func readDue(r wallet.Register) (d due, err error) {
	owner, id, _ := strings.Cut(strings.TrimPrefix(r.Name, debtPrefix), ":")
	if err = json.Unmarshal([]byte(r.Value), &d); err == nil {
		d.Wallet, err = wallet.ParseWalletID(owner)
	}
	if err == nil {
		d.ID, err = wallet.ParseOpID(id)
	}
	if err != nil {
		return d, fmt.Errorf("%w: the register of a debt does not read", wallet.ErrCorrupt)
	}
	return d, nil
}

// PayDebts takes what a wallet owes, as far as it can pay, and returns what is left. Its
// cards may pay again when nothing is.
func (c *Cashier) PayDebts(ctx context.Context, owner wallet.WalletID, generation uint32) (left wallet.Amount, err error) {
	cards := make(map[string]bool)
	err = c.each(ctx, debtPrefix+owner.String()+":", func(r wallet.Register) error {
		d, err := readDue(r)
		if err != nil {
			return err
		}
		cards[d.Card] = true
		paid, err := c.charge(ctx, d, generation)
		switch {
		case err != nil:
			return err
		case !paid:
			left += d.Amount
			return nil
		}
		if err := c.save(ctx, r.Name, r.Put, nil); !errors.Is(err, errChanged) {
			return err
		}
		return nil // somebody else has noted that it is paid
	})
	if err != nil || left > 0 {
		return left, err
	}
	for register := range cards {
		if err := c.indebt(ctx, register, owner, false); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// CardsPaid are a wallet's cards, after it has paid what it owes for them as far as it can,
// and what is left of that.
func (c *Cashier) CardsPaid(ctx context.Context, owner wallet.Wallet) (all []Card, owed wallet.Amount, err error) {
	if owed, err = c.PayDebts(ctx, owner.ID, owner.Generation); err != nil {
		return nil, 0, err
	}
	if all, err = c.Cards(ctx, owner.ID); err != nil || owed > 0 {
		return all, owed, err
	}
	for i := range all {
		if !all[i].Indebted { // or it has a card's place that was
			continue
		}
		if err := c.indebt(ctx, cardPrefix+all[i].ID, owner.ID, false); err != nil {
			return nil, 0, err
		}
		all[i].Indebted = false
	}
	return all, 0, nil
}
