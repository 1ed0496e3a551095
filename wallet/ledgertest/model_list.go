package ledgertest

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// page takes the items of one page out of a list. A cursor is the name of the
// list and the position of the next item, so that one of another list does not
// fit; positions count from the oldest item, so that new ones move nothing.
func page[T any](list string, items []T, newestFirst bool, cursor string, limit int) ([]T, string, error) {
	position, step := 0, 1
	if newestFirst {
		position, step = len(items)-1, -1
	}
	if cursor != "" {
		digits, ours := strings.CutPrefix(cursor, list+":")
		at, err := strconv.Atoi(digits)
		if !ours || err != nil || at < 0 || at >= len(items) || strconv.Itoa(at) != digits {
			return nil, "", errCursor(cursor)
		}
		position = at
	}
	var taken []T
	for ; position >= 0 && position < len(items); position += step {
		if len(taken) == limit {
			return taken, list + ":" + strconv.Itoa(position), nil
		}
		taken = append(taken, items[position])
	}
	return taken, "", nil
}

func errCursor(cursor string) error {
	return fmt.Errorf("%w: cursor %.40q is not one of this listing", wallet.ErrInvalid, cursor)
}

// Wallets implements [wallet.Keeper].
func (m *model) Wallets(ctx context.Context, cursor string, limit int) ([]wallet.Wallet, string, error) {
	if err := wallet.CheckPage(limit); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now, err := m.begin(ctx)
	if err != nil {
		return nil, "", err
	}
	ids, next, err := page("wallets", m.created, false, cursor, limit)
	var wallets []wallet.Wallet
	for _, id := range ids {
		wallets = append(wallets, m.describe(id, now))
	}
	return wallets, next, err
}

// Entries implements [wallet.Keeper].
func (m *model) Entries(ctx context.Context, id wallet.WalletID, cursor string, limit int) ([]wallet.Entry, string, error) {
	if err := wallet.CheckPage(limit); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.begin(ctx); err != nil {
		return nil, "", err
	}
	if m.wallets[id] == nil {
		return nil, "", wallet.ErrNotFound
	}
	var entries []wallet.Entry
	for _, r := range m.journal {
		for _, l := range r.lines {
			if l.wallet == id {
				entries = append(entries, l.entry)
			}
		}
	}
	return page("entries of "+id.String(), entries, true, cursor, limit)
}

// Vouchers implements [wallet.VoucherKeeper].
func (m *model) Vouchers(ctx context.Context, cursor string, limit int) ([]wallet.Voucher, string, error) {
	if err := wallet.CheckPage(limit); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now, err := m.begin(ctx)
	if err != nil {
		return nil, "", err
	}
	some, next, err := page("vouchers", m.vouchers, false, cursor, limit)
	var vouchers []wallet.Voucher
	for _, v := range some {
		vouchers = append(vouchers, v.describe(now))
	}
	return vouchers, next, err
}
