package local

import (
	"context"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/cursor"
)

// Put implements [wallet.RegisterKeeper].
func (l *Ledger) Put(ctx context.Context, p wallet.Put) (wallet.Receipt, error) {
	if err := p.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	return l.do(ctx, operation{p.ID, wallet.KindPut, 0}, func(d *decision) {
		there, found := d.register.names.Get(p.Register)
		switch {
		case found && there.put == p.ID && there.value == p.Value:
			d.receipt = wallet.Receipt{Outcome: wallet.Replayed, ID: p.ID, Time: timeOf(there.time)}
		case found && there.put == p.ID:
			d.refuse(wallet.Conflict)
		case idTime(p.ID)-d.now > wallet.MaxClockSkew.Milliseconds():
			d.refuse(wallet.Stale)
		case !found && p.Before != wallet.OpID{}:
			d.refuse(wallet.NotFound)
		case there.put != p.Before:
			d.refuse(wallet.Conflict)
		default:
			d.record.register, d.record.value, d.record.ends = p.Register, p.Value, p.Before
			d.accept()
		}
	})
}

// Register implements [wallet.RegisterKeeper].
func (l *Ledger) Register(ctx context.Context, name string) (wallet.Register, error) {
	var shown wallet.Register
	err := l.look(ctx, func(int64) (rests uint64) {
		if there, found := l.state.register.names.Get(name); found {
			shown = there.describe(name)
		}
		return everything
	})
	if err == nil && shown.Value == "" {
		err = wallet.ErrNotFound
	}
	return shown, err
}

// Registers implements [wallet.RegisterKeeper]. A cursor is the name of the next one.
func (l *Ledger) Registers(ctx context.Context, prefix, from string, limit int) (page []wallet.Register, next string, err error) {
	listing := "registers " + prefix
	if err := wallet.CheckRegisters(prefix, limit); err != nil {
		return nil, "", err
	}
	first := prefix
	if from != "" {
		place, err := cursor.Open(l.journal.id[:], listing, from)
		if err != nil {
			return nil, "", err
		}
		first = string(place)
	}
	err = l.look(ctx, func(int64) (rests uint64) {
		l.state.register.names.Ascend(first, func(name string, there register) bool {
			switch {
			case !strings.HasPrefix(name, prefix):
				return false
			case len(page) == limit:
				next = cursor.Seal(l.journal.id[:], listing, []byte(name))
				return false
			}
			page = append(page, there.describe(name))
			return true
		})
		return everything
	})
	if err != nil {
		return nil, "", err
	}
	return page, next, nil
}

func (r *register) describe(name string) wallet.Register {
	return wallet.Register{Name: name, Value: r.value, Put: r.put, Time: timeOf(r.time)}
}
