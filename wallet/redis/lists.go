package redis

import (
	"context"
	"errors"
	"sync"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/cursor"
)

// Wallets implements [wallet.Keeper].
func (l *Ledger) Wallets(ctx context.Context, from string, limit int) ([]wallet.Wallet, string, error) {
	const listing = "wallets"
	if err := wallet.CheckPage(limit); err != nil {
		return nil, "", err
	}
	if err := ctx.Err(); err != nil {
		return nil, "", unavailable(err)
	}
	at, err := l.openCursor(listing, from, 0)
	if err != nil {
		return nil, "", err
	}
	var page []wallet.Wallet
	for {
		ids, err := l.listed(ctx, at, limit+1)
		if err != nil {
			return nil, "", err
		}
		found, err := l.lookAll(ctx, ids)
		if err != nil {
			return nil, "", err
		}
		for i, w := range found {
			if w == nil {
				continue // listed, and then never made
			}
			if len(page) == limit {
				return page, l.sealCursor(listing, at+uint64(i)), nil
			}
			page = append(page, *w)
		}
		if len(ids) <= limit {
			return page, "", nil
		}
		at += uint64(len(ids))
	}
}

// listed returns wallets in the order of creation, from a place on.
func (l *Ledger) listed(ctx context.Context, from uint64, most int) (ids []wallet.WalletID, err error) {
	root := l.root()
	err = root.read(ctx, func(ctx context.Context, c *goredis.Client) error {
		texts, err := c.LRange(ctx, root.list(), int64(from), int64(from)+int64(most)-1).Result()
		ids = ids[:0]
		for _, t := range texts {
			if len(t) != len(wallet.WalletID{}) {
				return wallet.ErrCorrupt
			}
			ids = append(ids, wallet.WalletID([]byte(t)))
		}
		return err
	})
	return ids, err
}

// lookAll looks at wallets, which share flights. nil stands for one that is not there.
func (l *Ledger) lookAll(ctx context.Context, ids []wallet.WalletID) ([]*wallet.Wallet, error) {
	const atOnce = 256
	found, errs := make([]*wallet.Wallet, len(ids)), make([]error, len(ids))
	for from := 0; from < len(ids); from += atOnce {
		var looking sync.WaitGroup
		for i := from; i < min(from+atOnce, len(ids)); i++ {
			looking.Go(func() {
				w, err := l.Wallet(ctx, ids[i])
				if errs[i] = err; err == nil {
					found[i] = &w
				} else if isNotFound(err) {
					errs[i] = nil
				}
			})
		}
		looking.Wait()
	}
	return found, errors.Join(errs...)
}

// Vouchers implements [wallet.VoucherKeeper].
func (l *Ledger) Vouchers(ctx context.Context, from string, limit int) ([]wallet.Voucher, string, error) {
	const listing = "vouchers"
	if err := wallet.CheckPage(limit); err != nil {
		return nil, "", err
	}
	if err := ctx.Err(); err != nil {
		return nil, "", unavailable(err)
	}
	at, err := l.openCursor(listing, from, 1)
	if err != nil {
		return nil, "", err
	}
	page, err := l.vouchers(ctx, at, limit+1)
	if err != nil || len(page) <= limit {
		return page, "", err
	}
	return page[:limit], l.sealCursor(listing, at+uint64(limit)), nil
}

// Entries implements [wallet.Keeper]. What is no longer in the servers' memory is read
// from the archive, where this process has one; else the listing ends there.
func (l *Ledger) Entries(ctx context.Context, id wallet.WalletID, from string, limit int) ([]wallet.Entry, string, error) {
	listing := "entries of " + id.String()
	if err := wallet.CheckPage(limit); err != nil {
		return nil, "", err
	}
	p, err := l.look(ctx, id)
	if err != nil {
		return nil, "", err
	}
	at, err := l.openCursor(listing, from, p.last)
	if err != nil {
		return nil, "", err
	}
	var page []wallet.Entry
	for at != 0 {
		if len(page) == limit {
			return page, l.sealCursor(listing, at), nil
		}
		some, err := l.historyOf(ctx, id, at, limit-len(page))
		if err != nil || len(some) == 0 {
			return page, "", err
		}
		for i := range some {
			e, err := some[i].entry(id)
			if err != nil {
				return nil, "", err
			}
			page = append(page, e)
			at = some[i].recordBefore(id)
		}
	}
	return page, "", nil
}

// mostHistory is how many records of a wallet are read with one question: each is
// looked for in an entry with those of a whole flight.
const mostHistory = 50

// historyOf reads records of a wallet backwards from a position, at least one where
// there is one left.
func (l *Ledger) historyOf(ctx context.Context, id wallet.WalletID, from uint64, most int) ([]record, error) {
	s := l.shardOf(id)
	a, err := s.ask(ctx, &question{
		ask: askHistory, wallet: id, amount: wallet.Amount(from), flags: byte(min(most, mostHistory)),
	})
	if err != nil {
		return nil, err
	}
	var found []record
	for i := range a.visits {
		r, err := decodeKept(a.texts[int(a.number)-1+i])
		if err != nil {
			return nil, err
		}
		found = append(found, *r)
	}
	if len(found) == 0 && l.options.Archive != nil {
		return l.archivedHistory(ctx, id, from, most)
	}
	return found, nil
}

// recordBefore is the position of the record before this one, of a wallet.
func (r *record) recordBefore(of wallet.WalletID) uint64 {
	if r.hasOther && r.asked.about() != of {
		return r.otherBefore
	}
	return r.before
}

// The ledger's random id is the secret of its cursors.
func (l *Ledger) sealCursor(listing string, at uint64) string {
	return cursor.SealNumber([]byte(l.id), listing, at)
}

func (l *Ledger) openCursor(listing, from string, start uint64) (uint64, error) {
	return cursor.OpenNumber([]byte(l.id), listing, from, start)
}
