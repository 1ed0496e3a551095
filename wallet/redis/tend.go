package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Every process tends the ledger: it brings parcels that nobody brought, holds and other
// things to their end while nobody asks for anything, forgets what has ended, and
// settles what the site has earned. All of it may be done by several at once.
const (
	tendEvery   = 2 * time.Second
	settleEvery = 10 * time.Minute
)

// tending is how far a process has come in a shard.
type tending struct {
	grants, wallets uint64 // cursors
}

func (l *Ledger) tend(ctx context.Context) {
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	settled, tendings := time.Now(), make([]tending, len(l.shards))
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := l.tendOnce(ctx, tendings)
		if err == nil && time.Since(settled) >= settleEvery {
			settled, err = time.Now(), l.settleRevenue(ctx)
		}
		if err != nil && ctx.Err() == nil {
			l.log.Debug("tending the ledger failed; it is tried again", "error", err)
		}
	}
}

// tendOnce tends each shard once. What has arrived of a channel is compared with what was
// sent, so that nobody reads outboxes in which there is nothing.
func (l *Ledger) tendOnce(ctx context.Context, tendings []tending) error {
	counters := make([]map[string]string, len(l.shards))
	for i, s := range l.shards {
		t := &tendings[i]
		a, err := s.ask(ctx, &question{ask: askSweep, amount: wallet.Amount(t.grants), span: int64(t.wallets)})
		if err != nil && !s.up() {
			continue // it has been tried, for nobody else may ask today; its turn comes
		}
		if err != nil {
			return err
		}
		t.grants, t.wallets = uint64(a.amount), uint64(a.until)
		if err := s.askAgain(); err != nil {
			return err
		}
		if len(l.shards) == 1 {
			return nil
		}
		if err := s.read(ctx, func(ctx context.Context, c *goredis.Client) (err error) {
			counters[i], err = c.HGetAll(ctx, s.fixed[keyMeta]).Result()
			return err
		}); err != nil {
			return err
		}
	}
	for i, from := range l.shards {
		for j, to := range l.shards {
			if sent := counters[i][sentTo(j)]; counters[j] == nil || sent == "" || sent == counters[j][arrivedFrom(i)] {
				continue
			}
			if err := l.bring(ctx, from, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleRevenue brings what the site has earned in each shard to the first, in one
// movement a shard. A refund that then finds too little in its own shard brings some
// back (gather).
func (l *Ledger) settleRevenue(ctx context.Context) error {
	for _, s := range l.shards[1:] {
		if _, err := l.sendShare(ctx, s, l.root(), wallet.Site, wallet.MaxAmount); err != nil {
			return err
		}
	}
	return nil
}
