package ledgertest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Put implements [wallet.RegisterKeeper]. Its id is remembered by the register alone.
func (m *model) Put(ctx context.Context, p wallet.Put) (wallet.Receipt, error) {
	if err := p.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now, err := m.begin(ctx)
	if err != nil {
		return wallet.Receipt{}, err
	}
	there, found := m.register[p.Register]
	if o := judgePut(p, there, now); o != wallet.Applied {
		receipt := wallet.Receipt{Outcome: o}
		if o == wallet.Replayed {
			receipt.ID, receipt.Time = p.ID, there.Time
		}
		return receipt, nil
	}
	switch {
	case !found && p.Before != (wallet.OpID{}):
		return wallet.Receipt{Outcome: wallet.NotFound}, nil
	case there.Put != p.Before:
		return wallet.Receipt{Outcome: wallet.Conflict}, nil
	case p.Value == "":
		delete(m.register, p.Register)
	default:
		m.register[p.Register] = wallet.Register{Name: p.Register, Value: p.Value, Put: p.ID, Time: now}
	}
	m.write(nil)
	return wallet.Receipt{Outcome: wallet.Applied, ID: p.ID, Time: now}, nil
}

// judgePut judges a put by its id alone; Applied: it says nothing.
func judgePut(p wallet.Put, there wallet.Register, now time.Time) wallet.Outcome {
	switch {
	case now.Sub(p.ID.Time()) > wallet.ChargeMemory:
		return wallet.Stale
	case there.Put == p.ID && there.Value == p.Value:
		return wallet.Replayed
	case there.Put == p.ID && there.Value != "":
		return wallet.Conflict
	case p.ID.Time().Sub(now) > wallet.MaxClockSkew:
		return wallet.Stale
	}
	return wallet.Applied
}

// Register implements [wallet.RegisterKeeper].
func (m *model) Register(ctx context.Context, name string) (wallet.Register, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.begin(ctx); err != nil {
		return wallet.Register{}, err
	}
	there, found := m.register[name]
	if !found {
		return wallet.Register{}, wallet.ErrNotFound
	}
	return there, nil
}

// Registers implements [wallet.RegisterKeeper]. A cursor is the listing and the name of
// the next register.
func (m *model) Registers(ctx context.Context, prefix, cursor string, limit int) ([]wallet.Register, string, error) {
	if err := wallet.CheckRegisters(prefix, limit); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.begin(ctx); err != nil {
		return nil, "", err
	}
	listing := "registers " + prefix + ":"
	from, ours := strings.CutPrefix(cursor, listing)
	if cursor != "" && (!ours || !strings.HasPrefix(from, prefix)) {
		return nil, "", errCursor(cursor)
	}
	var found []wallet.Register
	for _, name := range slices.Sorted(maps.Keys(m.register)) {
		switch {
		case name < from || !strings.HasPrefix(name, prefix):
		case len(found) == limit:
			return found, listing + name, nil
		default:
			found = append(found, m.register[name])
		}
	}
	return found, "", nil
}
