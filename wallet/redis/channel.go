package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Between shards money goes through channels: see scripts/64-transfer.lua. A parcel
// that is in an outbox arrives, whoever brings it: the one who sent it, before it
// answers, or anybody's tending later.

// parcel is what one shard sends to another.
type parcel struct {
	number uint64
	kind   byte
	amount wallet.Amount
	wallet wallet.WalletID // that receives; zero: an account with a name
	asked  asked
}

const parcelShare = 3

func decodeParcel(number, text string) (parcel, error) {
	n, err := strconv.ParseUint(number, 10, 64)
	d := reader{rest: []byte(text)}
	p := parcel{number: n, kind: byte(d.uint(1)), amount: wallet.Amount(d.uint(7)), wallet: d.sixteen()}
	p.asked = d.rest
	if err != nil || d.failed || p.kind != parcelShare && len(p.asked) < askedHead {
		return p, fmt.Errorf("%w: parcel %q does not read", wallet.ErrCorrupt, number)
	}
	return p, nil
}

// bring brings all that is in an outbox, in order, and empties it.
func (l *Ledger) bring(ctx context.Context, from, to *shard) error {
	var texts map[string]string
	err := from.read(ctx, func(ctx context.Context, c *goredis.Client) (err error) {
		texts, err = c.HGetAll(ctx, from.outbox(to.number)).Result()
		return err
	})
	if err != nil || len(texts) == 0 {
		return err
	}
	parcels := make([]parcel, 0, len(texts))
	for number, text := range texts {
		p, err := decodeParcel(number, text)
		if err != nil {
			return err
		}
		parcels = append(parcels, p)
	}
	slices.SortFunc(parcels, func(a, b parcel) int { return int(int64(a.number) - int64(b.number)) })
	for _, p := range parcels {
		if err := l.arrive(ctx, from, to, p); err != nil {
			return err
		}
	}
	return nil
}

// arrive brings one parcel, and takes it out of the outbox.
func (l *Ledger) arrive(ctx context.Context, from, to *shard, p parcel) error {
	q := &question{ask: askArrive, asked: p.asked, wallet: p.wallet, amount: p.amount}
	if p.kind != parcelShare {
		q.id = p.asked.id()
	}
	q.rest = append(appendUint(appendUint(q.rest, uint64(from.number), 2), p.number, 7), p.kind)
	a, err := to.ask(ctx, q)
	if err != nil {
		return err
	}
	switch {
	case a.outcome == wallet.Applied:
	case a.outcome == wallet.Limit:
		return unavailable(fmt.Errorf("a parcel from shard %d to shard %d waits: its wallet is full", from.number, to.number))
	default:
		return unavailable(fmt.Errorf("a parcel from shard %d to shard %d is not taken: outcome %d", from.number, to.number, a.outcome))
	}
	return from.read(ctx, func(ctx context.Context, c *goredis.Client) error {
		return c.HDel(ctx, from.outbox(to.number), strconv.FormatUint(p.number, 10)).Err()
	})
}

// gather brings to a shard what other shards have of an account with a name, as much as
// is wanted, and reports whether any came.
func (l *Ledger) gather(ctx context.Context, to *shard, account wallet.Account, wanted wallet.Amount) (bool, error) {
	came := false
	for _, from := range l.shards {
		if from == to {
			continue
		}
		q := &question{ask: askShare, amount: wanted}
		q.needs(from.outbox(to.number))
		q.rest = appendShort(appendUint(q.rest, uint64(to.number), 2), account.Name)
		a, err := from.ask(ctx, q)
		if err != nil {
			return came, err
		}
		if a.outcome != wallet.Applied {
			continue
		}
		if err := l.bring(ctx, from, to); err != nil {
			return came, err
		}
		came = true
		if wanted -= a.amount; wanted <= 0 {
			break
		}
	}
	return came, nil
}

// tendEvery is how often this process looks for what others have left undone.
const tendEvery = 2 * time.Second

// tend brings what is in outboxes, and holds and other things to their end, while
// nobody asks for anything.
func (l *Ledger) tend(ctx context.Context) {
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := l.tendOnce(ctx); err != nil && ctx.Err() == nil {
			l.log.Debug("tending the ledger failed; it is tried again", "error", err)
		}
	}
}

// tendOnce does so once. What has arrived of a channel is compared with what was sent,
// so that nobody reads outboxes in which there is nothing.
func (l *Ledger) tendOnce(ctx context.Context) error {
	counters := make([]map[string]string, len(l.shards))
	for i, s := range l.shards {
		if !s.up() {
			continue
		}
		if _, err := s.ask(ctx, &question{ask: askFind, rest: make([]byte, idKeySize+6)}); err != nil {
			return err
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

// sentTo and arrivedFrom are the counters of a channel, at its two ends.
func sentTo(shard int) string      { return ">" + strconv.Itoa(shard) }
func arrivedFrom(shard int) string { return "<" + strconv.Itoa(shard) }
