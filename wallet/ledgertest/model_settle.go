package ledgertest

import (
	"context"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Settle implements [wallet.Charger].
func (m *model) Settle(ctx context.Context, s wallet.Settlement) (wallet.Receipt, error) {
	return m.do(ctx, operation{s.ID, s.Check(), wallet.ChargeMemory, s, func(now time.Time) wallet.Receipt {
		g, known := m.grant(s.Wallet, s.Resource, now)
		switch {
		case !known || !g.ahead:
			return wallet.Receipt{Outcome: wallet.NotFound}
		case g.settled:
			return m.answer(wallet.Spent, s.Wallet, g.rule, now)
		case s.Delivered:
			return m.deliver(s, g, now)
		}
		return m.refund(s, g, now)
	}})
}

func (m *model) deliver(s wallet.Settlement, g grant, now time.Time) wallet.Receipt {
	g.settled = true
	m.grants[grantKey{s.Wallet, s.Resource}] = g
	m.write(nil, line{s.Wallet, wallet.Entry{
		ID: s.ID, Time: now, Kind: wallet.KindDeliver, Rule: g.rule, Resource: s.Resource,
	}})
	r := m.answer(wallet.Applied, s.Wallet, g.rule, now)
	r.Until = g.until
	return r
}

// refund gives back what a charge ahead took: its price, or else a visit.
func (m *model) refund(s wallet.Settlement, g grant, now time.Time) wallet.Receipt {
	key := passKey{s.Wallet, g.rule}
	p := m.passes[key]
	entry := wallet.Entry{ID: s.ID, Time: now, Kind: wallet.KindRefund, Rule: g.rule, Resource: s.Resource}
	var moves []move
	switch visit := g.price == 0; {
	case visit && over(p.until, now):
		// The visit is lost with its pass.
	case visit && p.visits == wallet.MaxVisits:
		return m.answer(wallet.Limit, s.Wallet, g.rule, now)
	case visit:
		p.visits++
		entry.Visits = 1
	default:
		mv := move{siteBook, open(s.Wallet), g.price}
		if o := m.room(mv); o != wallet.Applied {
			return m.answer(o, s.Wallet, g.rule, now)
		}
		moves = append(moves, mv)
	}
	g.settled, g.closed = true, !g.captured
	m.passes[key] = p
	m.grants[grantKey{s.Wallet, s.Resource}] = g
	m.write(moves, line{s.Wallet, entry})
	r := m.answer(wallet.Applied, s.Wallet, g.rule, now)
	r.Amount, r.Visit = g.price, g.price == 0
	if g.captured {
		r.Until = g.until
	}
	return r
}
