package ledgertest

import (
	"context"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Settle implements [wallet.Charger].
func (m *model) Settle(ctx context.Context, s wallet.Settlement) (wallet.Receipt, error) {
	return m.do(ctx, operation{s.ID, s.Check(), wallet.ChargeMemory, s, func(now time.Time) wallet.Receipt {
		c := m.toSettle(s, now)
		switch {
		case c == nil:
			return wallet.Receipt{Outcome: wallet.NotFound}
		case c.settled:
			return m.answer(wallet.Spent, s.Wallet, c.rule, now)
		case s.Delivered:
			return m.deliver(s, c, now)
		}
		return m.refund(s, c, now)
	}})
}

// toSettle returns the charge that a settlement ends, or nil.
func (m *model) toSettle(s wallet.Settlement, now time.Time) *charge {
	key := grantKey{s.Wallet, s.Resource}
	if s.Charge == (wallet.OpID{}) {
		if g, known := m.grant(s.Wallet, s.Resource, now); known && g.charge != nil && g.charge.ahead {
			return g.charge
		}
		return nil
	}
	c := m.charges[m.key(s.Wallet, s.Charge)]
	if c == nil || c.grantKey != key || now.Sub(c.id.Time()) > wallet.ChargeMemory {
		return nil
	}
	return c
}

func (m *model) deliver(s wallet.Settlement, c *charge, now time.Time) wallet.Receipt {
	c.settled = true
	m.write(nil, line{s.Wallet, wallet.Entry{
		ID: s.ID, Time: now, Kind: wallet.KindDeliver, Rule: c.rule, Resource: s.Resource,
	}})
	r := m.answer(wallet.Applied, s.Wallet, c.rule, now)
	r.Until = m.readable(c.grantKey, now)
	return r
}

// refund gives back what a charge took: its price, or else a visit.
func (m *model) refund(s wallet.Settlement, c *charge, now time.Time) wallet.Receipt {
	key := passKey{s.Wallet, c.rule}
	p := m.passes[key]
	entry := wallet.Entry{ID: s.ID, Time: now, Kind: wallet.KindRefund, Rule: c.rule, Resource: s.Resource}
	var moves []move
	switch visit := c.price == 0; {
	case visit && over(p.until, now):
		// The visit is lost with its pass.
	case visit && p.visits == wallet.MaxVisits:
		return m.answer(wallet.Limit, s.Wallet, c.rule, now)
	case visit:
		p.visits++
		entry.Visits = 1
	default:
		mv := move{siteBook, open(s.Wallet), c.price}
		if o := m.room(mv); o != wallet.Applied {
			return m.answer(o, s.Wallet, c.rule, now)
		}
		moves = append(moves, mv)
	}
	c.settled = true
	m.passes[key] = p
	if g := m.grants[c.grantKey]; g.charge == c && !g.captured {
		g.closed = true
		m.grants[c.grantKey] = g
	}
	m.write(moves, line{s.Wallet, entry})
	r := m.answer(wallet.Applied, s.Wallet, c.rule, now)
	r.Amount, r.Visit, r.Until = c.price, c.price == 0, m.readable(c.grantKey, now)
	return r
}

// readable returns the end of what a wallet may read of a resource, or zero.
func (m *model) readable(key grantKey, now time.Time) time.Time {
	if g, known := m.grant(key.wallet, key.resource, now); known && !g.closed {
		return g.until
	}
	return time.Time{}
}
