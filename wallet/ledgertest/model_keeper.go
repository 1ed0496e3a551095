package ledgertest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// purse is a wallet but for its money.
type purse struct {
	created    time.Time
	generation uint32
	recovery   wallet.Digest // zero: none
	frozen     bool
}

// CreateWallet implements [wallet.Keeper].
func (m *model) CreateWallet(ctx context.Context, c wallet.CreateWallet) (wallet.Receipt, error) {
	return m.do(ctx, operation{c.ID, nil, wallet.MoneyMemory, c, func(now time.Time) wallet.Receipt {
		if m.wallets[c.Wallet] != nil || m.opens(c.Recovery) {
			return wallet.Receipt{Outcome: wallet.Conflict}
		}
		p := &purse{created: now, generation: 1}
		m.wallets[c.Wallet] = p
		m.created = append(m.created, c.Wallet)
		m.setRecovery(c.Wallet, c.Recovery)
		m.write(nil, line{c.Wallet, wallet.Entry{ID: c.ID, Time: now, Kind: wallet.KindCreate}})
		r := m.answer(wallet.Applied, c.Wallet, "", now)
		r.Generation = p.generation
		return r
	}})
}

// Rekey implements [wallet.Keeper].
func (m *model) Rekey(ctx context.Context, k wallet.Rekey) (wallet.Receipt, error) {
	return m.do(ctx, operation{k.ID, nil, wallet.MoneyMemory, k, func(now time.Time) wallet.Receipt {
		p := m.wallets[k.Wallet]
		switch {
		case p == nil:
			return wallet.Receipt{Outcome: wallet.NotFound}
		case m.opens(k.Recovery) && m.recovery[k.Recovery] != k.Wallet:
			return wallet.Receipt{Outcome: wallet.Conflict}
		}
		m.setRecovery(k.Wallet, k.Recovery)
		if k.Revoke {
			p.generation++
		}
		m.write(nil, line{k.Wallet, wallet.Entry{ID: k.ID, Time: now, Kind: wallet.KindRekey}})
		r := m.answer(wallet.Applied, k.Wallet, "", now)
		r.Generation = p.generation
		return r
	}})
}

// opens reports whether a recovery digest opens a wallet.
func (m *model) opens(recovery wallet.Digest) bool {
	_, known := m.recovery[recovery]
	return known
}

func (m *model) setRecovery(id wallet.WalletID, recovery wallet.Digest) {
	p := m.wallets[id]
	delete(m.recovery, p.recovery)
	p.recovery = recovery
	if recovery != (wallet.Digest{}) {
		m.recovery[recovery] = id
	}
}

// Freeze implements [wallet.Keeper].
func (m *model) Freeze(ctx context.Context, f wallet.Freeze) (wallet.Receipt, error) {
	return m.do(ctx, operation{f.ID, f.Check(), wallet.MoneyMemory, f, func(now time.Time) wallet.Receipt {
		p := m.wallets[f.Wallet]
		if p == nil {
			return wallet.Receipt{Outcome: wallet.NotFound}
		}
		p.frozen = f.Frozen
		m.write(nil, line{f.Wallet, wallet.Entry{ID: f.ID, Time: now, Kind: wallet.KindFreeze, Note: f.Note}})
		return m.answer(wallet.Applied, f.Wallet, "", now)
	}})
}

// Wallet implements [wallet.Keeper].
func (m *model) Wallet(ctx context.Context, id wallet.WalletID) (wallet.Wallet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, err := m.begin(ctx)
	if err != nil {
		return wallet.Wallet{}, err
	}
	if m.wallets[id] == nil {
		return wallet.Wallet{}, wallet.ErrNotFound
	}
	return m.describe(id, now), nil
}

// WalletByRecovery implements [wallet.Keeper].
func (m *model) WalletByRecovery(ctx context.Context, recovery wallet.Digest) (wallet.Wallet, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, err := m.begin(ctx)
	if err != nil {
		return wallet.Wallet{}, err
	}
	if !m.opens(recovery) {
		return wallet.Wallet{}, wallet.ErrNotFound
	}
	return m.describe(m.recovery[recovery], now), nil
}

func (m *model) describe(id wallet.WalletID, now time.Time) wallet.Wallet {
	p := m.wallets[id]
	w := wallet.Wallet{
		ID: id, Available: m.balance[open(id)], Held: m.balance[heldOf(id)],
		Generation: p.generation, Frozen: p.frozen, Created: p.created,
	}
	for key := range m.passes {
		if key.wallet != id {
			continue
		}
		if visits, until := m.visits(id, key.rule, now); visits > 0 {
			w.Passes = append(w.Passes, wallet.Pass{Rule: key.rule, Visits: visits, Until: until})
		}
	}
	slices.SortFunc(w.Passes, func(a, b wallet.Pass) int { return cmp.Compare(a.Rule, b.Rule) })
	return w
}
