package redis

import (
	"context"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// IssueVouchers implements [wallet.VoucherKeeper].
func (l *Ledger) IssueVouchers(ctx context.Context, i wallet.IssueVouchers) (wallet.Receipt, error) {
	if err := i.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	root := l.root()
	q := &question{ask: askIssue, asked: askedOfIssue(&i), id: i.ID, amount: i.Value, span: millis(i.Expires)}
	q.needs(root.codes())
	q.needs(root.serials())
	q.rest = appendUint(q.rest, uint64(len(i.Digests)), 2)
	q.rest = append(appendUint(q.rest, uint64(len(i.Note)), 2), i.Note...)
	for n := range i.Digests {
		code := shorten(i.Digests[n])
		q.rest = append(q.rest, code[:]...)
	}
	a, err := root.ask(ctx, q)
	if err != nil {
		return wallet.Receipt{}, err
	}
	receipt, err := root.conclude(ctx, q, &a)
	if a.outcome == wallet.Applied {
		receipt.Serial = a.number
	}
	return receipt, err
}

// Redeem implements [wallet.VoucherKeeper]. For a wallet of another shard than the
// first, the voucher is spent there first and its value sent.
func (l *Ledger) Redeem(ctx context.Context, r wallet.Redeem) (wallet.Receipt, error) {
	root, s := l.root(), l.shardOf(r.Wallet)
	q := &question{ask: askRedeem, asked: askedOfRedeem(&r), id: r.ID, wallet: r.Wallet}
	q.needs(root.codes())
	q.needs(root.serials())
	code := shorten(r.Code)
	if s == root {
		q.rest = append(append(q.rest, 0, 0, 0), code[:]...)
		return s.operate(ctx, q)
	}
	q.needs(root.outbox(s.number))
	q.rest = appendUint(q.rest, uint64(s.number), 2)
	q.rest = append(q.rest, code[:]...)
	return l.redeemInto(ctx, s, q)
}

// redeemInto redeems a voucher into a wallet of another shard than the first.
func (l *Ledger) redeemInto(ctx context.Context, s *shard, q *question) (wallet.Receipt, error) {
	for {
		before := &question{ask: askPrecheck, id: q.id, wallet: q.wallet, flags: 1, amount: q.amount}
		here, err := s.ask(ctx, before)
		if err != nil {
			return wallet.Receipt{}, err
		}
		if here.outcome != wallet.Applied {
			return s.conclude(ctx, q, &here)
		}
		a, err := l.root().ask(ctx, q)
		switch {
		case err != nil:
			return wallet.Receipt{}, err
		case a.outcome == outcomeAgain: // now the value is known, and whether there is room for it is asked
			q.amount = a.amount
			continue
		case a.outcome == wallet.NotFound:
			return wallet.Receipt{Outcome: wallet.NotFound}, nil
		case a.outcome != wallet.Applied:
			return wallet.Receipt{Outcome: a.outcome, Balance: here.balance}, nil
		}
		if err := l.bring(ctx, l.root(), s); err != nil {
			return wallet.Receipt{}, err
		}
		if here, err = s.ask(ctx, &question{ask: askPrecheck, id: q.id, wallet: q.wallet, flags: 1}); err != nil {
			return wallet.Receipt{}, err
		}
		receipt, err := s.conclude(ctx, q, &here)
		if err == nil && receipt.Outcome == wallet.Replayed {
			receipt.Outcome = wallet.Applied // by what was just brought
		}
		return receipt, err
	}
}

// VoidVoucher implements [wallet.VoucherKeeper].
func (l *Ledger) VoidVoucher(ctx context.Context, v wallet.VoidVoucher) (wallet.Receipt, error) {
	if err := v.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	root := l.root()
	q := &question{ask: askVoid, asked: askedOfVoid(&v), id: v.ID, amount: wallet.Amount(min(v.Serial, uint64(wallet.MaxAmount)))}
	q.needs(root.serials())
	q.rest = append(appendUint(q.rest, uint64(len(v.Note)), 2), v.Note...)
	return root.operate(ctx, q)
}

// Voucher implements [wallet.VoucherKeeper].
func (l *Ledger) Voucher(ctx context.Context, code wallet.Digest) (wallet.Voucher, error) {
	root, short := l.root(), shorten(code)
	var serial string
	err := root.read(ctx, func(ctx context.Context, c *goredis.Client) (err error) {
		serial, err = c.HGet(ctx, root.codes(), string(short[:])).Result()
		return err
	})
	if err != nil {
		return wallet.Voucher{}, err
	}
	if serial == "" {
		return wallet.Voucher{}, wallet.ErrNotFound
	}
	n, err := strconv.ParseUint(serial, 10, 64)
	if err != nil {
		return wallet.Voucher{}, wallet.ErrCorrupt
	}
	found, err := l.vouchers(ctx, n, 1)
	if err == nil && len(found) == 0 {
		err = wallet.ErrCorrupt
	}
	if err != nil {
		return wallet.Voucher{}, err
	}
	return found[0], nil
}

// vouchers reads vouchers by their serial numbers, as many as there are.
func (l *Ledger) vouchers(ctx context.Context, first uint64, count int) ([]wallet.Voucher, error) {
	root := l.root()
	fields := make([]string, count)
	for i := range fields {
		fields[i] = strconv.FormatUint(first+uint64(i), 10)
	}
	var texts []any
	var now time.Time
	err := root.read(ctx, func(ctx context.Context, c *goredis.Client) (err error) {
		if now, err = l.serverTime(ctx, c); err != nil {
			return err
		}
		texts, err = c.HMGet(ctx, root.serials(), fields...).Result()
		return err
	})
	if err != nil {
		return nil, err
	}
	var found []wallet.Voucher
	for i, text := range texts {
		t, ok := text.(string)
		if !ok {
			break
		}
		v, err := decodeVoucher(first+uint64(i), t, now.UnixMilli())
		if err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	return found, nil
}

// serverTime is the time by which the ledger counts.
func (l *Ledger) serverTime(ctx context.Context, c *goredis.Client) (time.Time, error) {
	if l.options.Clock != nil {
		return l.options.Clock(), nil
	}
	return c.Time(ctx).Result()
}

// decodeVoucher reads a voucher; see library/66-voucher.lua.
func decodeVoucher(serial uint64, text string, now int64) (wallet.Voucher, error) {
	d := reader{rest: []byte(text)}
	v := wallet.Voucher{Serial: serial, Value: wallet.Amount(d.uint(7)), State: wallet.VoucherState(d.uint(1))}
	v.Issued = timeOf(int64(d.uint(6)))
	expires := int64(d.uint(6))
	v.Expires, v.Redeemed = timeOf(expires), timeOf(int64(d.uint(6)))
	v.Wallet = d.sixteen()
	d.take(idKeySize)
	if d.failed {
		return v, wallet.ErrCorrupt
	}
	v.Note = string(d.rest)
	if v.State == wallet.VoucherIssued && expires != 0 && expires <= now {
		v.State = wallet.VoucherExpired
	}
	return v, nil
}
