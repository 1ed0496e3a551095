package redis

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Hold implements [wallet.Mover].
func (l *Ledger) Hold(ctx context.Context, h wallet.Hold) (wallet.Receipt, error) {
	if err := h.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	return l.shardOf(h.Wallet).operate(ctx, &question{
		ask: askHold, id: h.ID, wallet: h.Wallet, generation: h.Generation, amount: h.Amount,
		span: h.TTL.Milliseconds(), asked: askedOfHold(&h),
	})
}

// Capture implements [wallet.Mover].
func (l *Ledger) Capture(ctx context.Context, c wallet.Capture) (wallet.Receipt, error) {
	if err := c.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	q := &question{
		ask: askCapture, id: c.ID, wallet: c.Wallet, amount: c.Amount, rule: ruleKeyOf(c.Rule),
		rest: c.Hold[:], asked: askedOfCapture(&c),
	}
	if c.Resource != "" {
		q.flags, q.span, q.resource = 1, c.Window.Milliseconds(), resourceKeyOf(c.Resource)
	}
	return l.shardOf(c.Wallet).operate(ctx, q)
}

// Release implements [wallet.Mover].
func (l *Ledger) Release(ctx context.Context, r wallet.Release) (wallet.Receipt, error) {
	return l.shardOf(r.Wallet).operate(ctx, &question{
		ask: askRelease, id: r.ID, wallet: r.Wallet, rest: r.Hold[:], asked: askedOfRelease(&r),
	})
}

// The ways of a transfer; see library/64-transfer.lua.
const (
	wayBetween = iota
	wayToName
	wayFromName
	wayToShard
)

// Transfer implements [wallet.Mover]. Between wallets of two shards it takes effect for
// the one that gives first, and is credited to the other before it answers.
func (l *Ledger) Transfer(ctx context.Context, t wallet.Transfer) (wallet.Receipt, error) {
	if err := t.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	about := t.From.Wallet
	if !t.From.IsWallet() {
		about = t.To.Wallet
	}
	from := l.shardOf(about)
	to := from
	if t.To.IsWallet() {
		to = l.shardOf(t.To.Wallet)
	}
	for {
		q := transferQuestion(&t, about, from, to)
		if from != to {
			// A wallet is never deleted, so one that is there now will be there.
			o, full, err := l.mayArrive(ctx, from, to, &t, about)
			if err != nil || o != wallet.Applied {
				return wallet.Receipt{Outcome: o}, err
			}
			if full {
				q.flags = 1
			}
		}
		a, err := from.ask(ctx, q)
		if err != nil {
			return wallet.Receipt{}, err
		}
		if a.outcome == outcomeShort {
			if gathered, err := l.gather(ctx, from, t.From, t.Amount); err != nil {
				return wallet.Receipt{}, err
			} else if gathered {
				continue
			}
		}
		receipt, err := from.conclude(ctx, q, &a)
		if err == nil && from != to && receipt.Outcome.Done() {
			err = l.bring(ctx, from, to)
		}
		if err != nil {
			return wallet.Receipt{}, err
		}
		return receipt, nil
	}
}

func transferQuestion(t *wallet.Transfer, about wallet.WalletID, from, to *shard) *question {
	q := &question{ask: askTransfer, asked: askedOfTransfer(t, about), id: t.ID, wallet: about, generation: t.Generation, amount: t.Amount}
	way, funding, name := wayBetween, byte(0), ""
	switch {
	case !t.From.IsWallet():
		way, name = wayFromName, t.From.Name
		if t.From.IsFunding() {
			funding = 1
		}
	case !t.To.IsWallet():
		way, name = wayToName, t.To.Name
	case from != to:
		way = wayToShard
	}
	q.rest = append(append(q.rest, byte(way)), t.To.Wallet[:]...)
	if way == wayToShard {
		q.needs(from.outbox(to.number))
	} else {
		q.rest = append(q.rest, 0)
	}
	q.rest = appendUint(q.rest, uint64(to.number), 2)
	q.rest = appendShort(append(q.rest, funding), name)
	return q
}

// mayArrive judges a transfer between shards before it leaves, as far as the other side
// is concerned: Applied where it may go on, also to be refused because the wallet that
// receives is full.
func (l *Ledger) mayArrive(ctx context.Context, from, to *shard, t *wallet.Transfer, about wallet.WalletID) (o wallet.Outcome, full bool, err error) {
	there, err := to.ask(ctx, &question{ask: askPrecheck, wallet: t.To.Wallet})
	if err != nil {
		return 0, false, err
	}
	if there.outcome == wallet.Applied {
		return wallet.Applied, wallet.Amount(there.number)+t.Amount > wallet.MaxAmount, nil
	}
	// The id is judged first, which the shard that gives does.
	here, err := from.ask(ctx, &question{ask: askPrecheck, id: t.ID, wallet: about, flags: 1})
	switch {
	case err != nil:
		return 0, false, err
	case here.outcome == wallet.Stale:
		return wallet.Stale, false, nil
	case here.outcome == outcomeKnown:
		return wallet.Applied, false, nil
	}
	return wallet.NotFound, false, nil
}
