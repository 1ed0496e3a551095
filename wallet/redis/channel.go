package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Between shards money goes through channels: see library/64-transfer.lua. A parcel
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
		if from == to || wanted <= 0 {
			continue
		}
		amount, err := l.sendShare(ctx, from, to, account, wanted)
		if err != nil {
			return came, err
		}
		came = came || amount > 0
		wanted -= amount
	}
	return came, nil
}

// sendShare sends what one shard has of an account with a name to another, at most so
// much, and returns how much that was.
func (l *Ledger) sendShare(ctx context.Context, from, to *shard, account wallet.Account, most wallet.Amount) (wallet.Amount, error) {
	q := &question{ask: askShare, amount: most}
	q.needs(from.outbox(to.number))
	q.rest = appendUint(appendUint(q.rest, uint64(from.number), 2), uint64(to.number), 2)
	q.rest = appendShort(q.rest, account.Name)
	a, err := from.ask(ctx, q)
	if err != nil || a.outcome != wallet.Applied {
		return 0, err
	}
	return a.amount, l.bring(ctx, from, to)
}

// sentTo and arrivedFrom are the counters of a channel, at its two ends.
func sentTo(shard int) string      { return ">" + strconv.Itoa(shard) }
func arrivedFrom(shard int) string { return "<" + strconv.Itoa(shard) }
