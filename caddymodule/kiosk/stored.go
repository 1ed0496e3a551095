package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// load reads a register that holds JSON: wallet.ErrNotFound where there is none.
func load[T any](ctx context.Context, c *Cashier, name string) (value T, put wallet.OpID, err error) {
	r, err := c.Ledger.Register(ctx, name)
	if err != nil {
		return value, put, err
	}
	if err := json.Unmarshal([]byte(r.Value), &value); err != nil {
		return value, put, fmt.Errorf("%w: the register of a kiosk or card does not read", wallet.ErrCorrupt)
	}
	return value, r.Put, nil
}

// errChanged is a register that somebody else has written meanwhile.
var errChanged = errors.New("changed meanwhile")

// save writes a register in place of what was loaded; nil removes it.
func (c *Cashier) save(ctx context.Context, name string, before wallet.OpID, value any) error {
	id, err := c.newID()
	if err != nil {
		return err
	}
	put := wallet.Put{ID: id, Register: name, Before: before}
	if value != nil {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		put.Value = string(text)
	}
	receipt, err := c.Ledger.Put(ctx, put)
	switch {
	case err != nil:
		return err
	case receipt.Outcome.Done():
		return nil
	case receipt.Outcome == wallet.Conflict || receipt.Outcome == wallet.NotFound:
		return errChanged
	}
	return fmt.Errorf("%w: a register was %v", wallet.ErrUnavailable, receipt.Outcome)
}

// errKeep is returned by a change that is none: nothing is written.
var errKeep = errors.New("nothing to change")

// tries is how often a register is read again that somebody else has changed.
const tries = 8

// update changes a register that is there, and returns what it is then. change may be
// called more than once; an error of its own ends it, and nothing is written.
func update[T any](ctx context.Context, c *Cashier, name string, change func(*T) error) (value T, err error) {
	return rewrite(ctx, c, name, false, change)
}

// upsert is update, of a register that may not be there yet: change gets a zero value then.
func upsert[T any](ctx context.Context, c *Cashier, name string, change func(*T) error) (value T, err error) {
	return rewrite(ctx, c, name, true, change)
}

func rewrite[T any](ctx context.Context, c *Cashier, name string, create bool, change func(*T) error) (value T, err error) {
	for range tries {
		var put wallet.OpID
		value, put, err = load[T](ctx, c, name)
		if err != nil && (!create || !errors.Is(err, wallet.ErrNotFound)) {
			return value, err
		}
		switch err = change(&value); {
		case errors.Is(err, errKeep):
			return value, nil
		case err != nil:
			return value, err
		}
		if err = c.save(ctx, name, put, value); !errors.Is(err, errChanged) {
			return value, err
		}
	}
	return value, ErrBusy
}

// each calls do for the registers with a prefix.
func (c *Cashier) each(ctx context.Context, prefix string, do func(r wallet.Register) error) error {
	for cursor := ""; ; {
		page, next, err := c.Ledger.Registers(ctx, prefix, cursor, wallet.MaxPage)
		if err != nil {
			return err
		}
		for _, r := range page {
			if err := do(r); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
}
