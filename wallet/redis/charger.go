package redis

import (
	"context"
	"encoding/binary"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Standing implements [wallet.Charger].
func (l *Ledger) Standing(ctx context.Context, q wallet.StandingQuery) (wallet.Standing, error) {
	a, err := l.shardOf(q.Wallet).ask(ctx, &question{
		ask: askStanding, wallet: q.Wallet, generation: q.Generation,
		rule: ruleKeyOf(q.Rule), resource: resourceKeyOf(q.Resource),
	})
	if err != nil {
		return wallet.Standing{}, err
	}
	if a.outcome == wallet.Applied && q.Generation != 0 {
		l.foresight.learn(q.Wallet, q.Generation, a.balance)
	}
	return wallet.Standing{
		Credential: a.outcome, Available: a.balance, GrantedUntil: timeOf(int64(a.number)), Ahead: a.flags == 1,
		Visits: a.visits, VisitsUntil: timeOf(a.until),
	}, nil
}

// Charge implements [wallet.Charger].
func (l *Ledger) Charge(ctx context.Context, c wallet.Charge) (wallet.Receipt, error) {
	if err := c.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	q := &question{
		ask: askCharge, asked: askedOfCharge(&c), id: c.ID, wallet: c.Wallet, generation: c.Generation, amount: c.Price,
		span: c.Window.Milliseconds(), rule: ruleKeyOf(c.Rule), resource: resourceKeyOf(c.Resource),
	}
	if c.Ahead {
		q.flags, q.rest = 1, appendShort(nil, c.Rule)
	}
	receipt, err := l.shardOf(c.Wallet).operate(ctx, q)
	if err == nil {
		l.foresight.hear(&c, &receipt)
	}
	return receipt, err
}

// Buy implements [wallet.Charger].
func (l *Ledger) Buy(ctx context.Context, p wallet.Purchase) (wallet.Receipt, error) {
	if err := p.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	q := &question{
		ask: askBuy, asked: askedOfPurchase(&p), id: p.ID, wallet: p.Wallet, generation: p.Generation, amount: p.Price,
		span: p.Validity.Milliseconds(), rule: ruleKeyOf(p.Rule),
	}
	q.rest = binary.LittleEndian.AppendUint32(nil, uint32(p.Visits))
	q.rest = appendShort(q.rest, p.Rule)
	return l.shardOf(p.Wallet).operate(ctx, q)
}

// Settle implements [wallet.Charger]. What a charge took stands in its record alone: one
// that is named by its id is read first, and settled if it is still there.
func (l *Ledger) Settle(ctx context.Context, s wallet.Settlement) (wallet.Receipt, error) {
	if err := s.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	shard := l.shardOf(s.Wallet)
	for {
		q := &question{ask: askSettle, asked: askedOfSettlement(&s), id: s.ID, wallet: s.Wallet, resource: resourceKeyOf(s.Resource)}
		if s.Delivered {
			q.flags = 1
		}
		var of charged
		var err error
		if s.Charge != (wallet.OpID{}) {
			if of, err = shard.chargeToSettle(ctx, &s); err != nil {
				return wallet.Receipt{}, err
			}
			q.rule = ruleKeyOf(of.rule)
			q.rest = append(q.rest, 1)
		} else {
			q.rest = append(q.rest, 0)
		}
		q.rest = of.append(q.rest, s.Charge)
		a, err := shard.ask(ctx, q)
		if err != nil {
			return wallet.Receipt{}, err
		}
		switch a.outcome {
		case outcomeAgain:
			continue
		case outcomeShort:
			if gathered, err := l.gather(ctx, shard, wallet.Site, a.amount); err != nil {
				return wallet.Receipt{}, err
			} else if gathered {
				continue
			}
		}
		return shard.conclude(ctx, q, &a)
	}
}

// charged is what a charge took, as the journal has it; none where position is zero.
type charged struct {
	position uint64
	kind     wallet.Kind
	price    wallet.Amount
	rule     string
}

func (c *charged) append(b []byte, id wallet.OpID) []byte {
	key := idKeyOf(id)
	b = append(b, key[:]...)
	b = appendUint(b, uint64(id.Time().UnixMilli()), 6)
	b = appendUint(b, c.position, 7)
	b = append(b, byte(c.kind))
	b = appendUint(b, uint64(c.price), 7)
	return appendShort(b, c.rule)
}

// chargeToSettle reads the charge that a settlement names. One that is no charge of the
// wallet and the resource is none.
func (s *shard) chargeToSettle(ctx context.Context, of *wallet.Settlement) (charged, error) {
	key := idKeyOf(of.Charge)
	q := &question{ask: askFind, wallet: of.Wallet, rest: appendUint(append([]byte(nil), key[:]...), uint64(of.Charge.Time().UnixMilli()), 6)}
	a, err := s.ask(ctx, q)
	if err != nil || a.position == 0 {
		return charged{}, err
	}
	r, err := s.recordAt(ctx, a.position)
	if err != nil {
		return charged{}, err
	}
	if idKeyOf(r.asked.id()) != idKeyOf(of.Charge) {
		return charged{}, unavailable(errLost)
	}
	op, err := r.asked.operation()
	c, isCharge := op.(wallet.Charge)
	if err != nil || !isCharge || c.ID != of.Charge || c.Resource != of.Resource {
		return charged{}, err
	}
	found := charged{position: r.position, kind: r.kind, rule: c.Rule}
	if r.kind == wallet.KindCharge {
		found.price = c.Price
	}
	return found, nil
}
