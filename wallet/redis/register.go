package redis

import (
	"context"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/cursor"
)

// Put implements [wallet.RegisterKeeper].
func (l *Ledger) Put(ctx context.Context, p wallet.Put) (wallet.Receipt, error) {
	if err := p.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	root := l.root()
	q := &question{ask: askPut, asked: askedOfPut(&p), id: p.ID}
	q.needs(root.registers())
	q.needs(root.registerNames())
	q.rest = append(append(q.rest, p.ID[:]...), p.Before[:]...)
	q.rest = append(appendShort(q.rest, p.Register), p.Value...)
	a, err := root.ask(ctx, q)
	if err != nil {
		return wallet.Receipt{}, err
	}
	if a.outcome == wallet.Replayed {
		return wallet.Receipt{Outcome: wallet.Replayed, ID: p.ID, Time: timeOf(a.until)}, nil
	}
	return a.receipt(p.ID), nil
}

// Register implements [wallet.RegisterKeeper].
func (l *Ledger) Register(ctx context.Context, name string) (wallet.Register, error) {
	root := l.root()
	var text string
	err := root.read(ctx, func(ctx context.Context, c *goredis.Client) (err error) {
		text, err = c.HGet(ctx, root.registers(), name).Result()
		return err
	})
	if err == nil && text == "" {
		err = wallet.ErrNotFound
	}
	if err != nil {
		return wallet.Register{}, err
	}
	return decodeRegister(name, text)
}

// Registers implements [wallet.RegisterKeeper]. A cursor is the name of the next one.
func (l *Ledger) Registers(ctx context.Context, prefix, from string, limit int) (page []wallet.Register, next string, err error) {
	listing := "registers " + prefix
	if err := wallet.CheckRegisters(prefix, limit); err != nil {
		return nil, "", err
	}
	first := prefix
	if from != "" {
		place, err := cursor.Open([]byte(l.id), listing, from)
		if err != nil {
			return nil, "", err
		}
		first = string(place)
	}
	found, err := l.registers(ctx, first, prefix, limit+1)
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	return found[:limit], cursor.Seal([]byte(l.id), listing, []byte(found[limit].Name)), nil
}

// registers reads registers from a name on, whose names have a prefix.
func (l *Ledger) registers(ctx context.Context, from, prefix string, most int) ([]wallet.Register, error) {
	root := l.root()
	q := &question{ask: askRegisters, amount: wallet.Amount(most)}
	q.needs(root.registers())
	q.needs(root.registerNames())
	q.rest = append(appendShort(q.rest, "["+from), behind(prefix)...)
	a, err := root.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	var found []wallet.Register
	for i := range a.visits {
		d := reader{rest: []byte(a.texts[int(a.number)-1+i])}
		name := d.short()
		r, err := decodeRegister(name, string(d.rest))
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, nil
}

// behind is the first bound, as Redis writes it, behind all names with a prefix.
func behind(prefix string) string {
	end := []byte(prefix)
	for len(end) > 0 && end[len(end)-1] == 0xff {
		end = end[:len(end)-1]
	}
	if len(end) == 0 {
		return "+"
	}
	end[len(end)-1]++
	return "(" + string(end)
}

// decodeRegister reads a register; see library/69-register.lua.
func decodeRegister(name, text string) (wallet.Register, error) {
	d := reader{rest: []byte(text)}
	r := wallet.Register{Name: name, Put: d.sixteen(), Time: timeOf(int64(d.uint(6)))}
	r.Value = string(d.rest)
	if d.failed || r.Value == "" {
		return r, wallet.ErrCorrupt
	}
	return r, nil
}
