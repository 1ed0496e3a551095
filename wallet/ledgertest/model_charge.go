package ledgertest

import (
	"context"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

type passKey struct {
	wallet wallet.WalletID
	rule   string
}

// pass is a bundle's visits. It stays when it is empty, so that a visit which
// comes back finds its end.
type pass struct {
	visits int
	until  time.Time // zero: never
}

type grantKey struct {
	wallet   wallet.WalletID
	resource string
}

// grant is what was paid for, and the charge that paid for it.
type grant struct {
	until    time.Time
	closed   bool    // the charge was refunded: nothing to read
	captured bool    // a capture has paid too: a refund closes nothing
	charge   *charge // nil: a capture alone
}

// charge is what paid for a view.
type charge struct {
	grantKey
	id      wallet.OpID
	rule    string
	price   wallet.Amount // zero: a visit
	ahead   bool
	settled bool
}

// grant returns the grant that a wallet has at a resource, closed or not.
func (m *model) grant(id wallet.WalletID, resource string, now time.Time) (grant, bool) {
	g, known := m.grants[grantKey{id, resource}]
	return g, known && !over(g.until, now)
}

// visits returns what is left in a wallet's pass for a rule and its end.
func (m *model) visits(id wallet.WalletID, rule string, now time.Time) (int, time.Time) {
	p := m.passes[passKey{id, rule}]
	if p.visits == 0 || over(p.until, now) {
		return 0, time.Time{}
	}
	return p.visits, p.until
}

// Standing implements [wallet.Charger].
func (m *model) Standing(ctx context.Context, q wallet.StandingQuery) (wallet.Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, err := m.begin(ctx)
	if err != nil {
		return wallet.Standing{}, err
	}
	if p := m.wallets[q.Wallet]; p != nil && q.Generation == 0 {
		q.Generation = p.generation
	}
	s := wallet.Standing{Credential: m.credential(q.Wallet, q.Generation)}
	if s.Credential == wallet.NotFound || s.Credential == wallet.Revoked {
		return s, nil
	}
	s.Available = m.balance[open(q.Wallet)]
	s.Visits, s.VisitsUntil = m.visits(q.Wallet, q.Rule, now)
	if g, known := m.grant(q.Wallet, q.Resource, now); known && !g.closed {
		s.GrantedUntil = g.until
		s.Ahead = g.charge != nil && g.charge.ahead && !g.charge.settled
	}
	return s, nil
}

// Charge implements [wallet.Charger].
func (m *model) Charge(ctx context.Context, c wallet.Charge) (wallet.Receipt, error) {
	invalid := c.Check()
	c.Window = c.Window.Truncate(time.Millisecond)
	return m.do(ctx, operation{c.ID, invalid, wallet.ChargeMemory, c, func(now time.Time) wallet.Receipt {
		if o := m.credential(c.Wallet, c.Generation); o != wallet.Applied {
			return m.answer(o, c.Wallet, c.Rule, now)
		}
		if g, known := m.grant(c.Wallet, c.Resource, now); known && !g.closed {
			r := m.answer(wallet.Granted, c.Wallet, c.Rule, now)
			r.Until = g.until
			return r
		}
		if visits, _ := m.visits(c.Wallet, c.Rule, now); visits > 0 {
			return m.chargeVisit(c, now)
		}
		return m.chargePrice(c, now)
	}})
}

func (m *model) chargeVisit(c wallet.Charge, now time.Time) wallet.Receipt {
	key := passKey{c.Wallet, c.Rule}
	p := m.passes[key]
	p.visits--
	m.passes[key] = p
	until := m.grantCharged(c, 0, now)
	m.write(nil, line{c.Wallet, wallet.Entry{
		ID: c.ID, Time: now, Kind: wallet.KindVisit, Visits: -1, Rule: c.Rule, Resource: c.Resource,
	}})
	r := m.answer(wallet.Applied, c.Wallet, c.Rule, now)
	r.Visit, r.Until = true, until
	return r
}

// grantCharged writes the grant of a charge and returns its end.
func (m *model) grantCharged(c wallet.Charge, price wallet.Amount, now time.Time) time.Time {
	key, until := grantKey{c.Wallet, c.Resource}, now.Add(c.Window)
	paid := &charge{grantKey: key, id: c.ID, rule: c.Rule, price: price, ahead: c.Ahead}
	m.charges[m.key(c.Wallet, c.ID)] = paid
	m.grants[key] = grant{until: until, charge: paid}
	return until
}

func (m *model) chargePrice(c wallet.Charge, now time.Time) wallet.Receipt {
	if c.Price == 0 {
		return m.answer(wallet.Insufficient, c.Wallet, c.Rule, now)
	}
	mv := move{open(c.Wallet), siteBook, c.Price}
	if o := m.room(mv); o != wallet.Applied {
		return m.answer(o, c.Wallet, c.Rule, now)
	}
	until := m.grantCharged(c, c.Price, now)
	m.write([]move{mv}, line{c.Wallet, wallet.Entry{
		ID: c.ID, Time: now, Kind: wallet.KindCharge, Rule: c.Rule, Resource: c.Resource,
	}})
	r := m.answer(wallet.Applied, c.Wallet, c.Rule, now)
	r.Amount, r.Until = c.Price, until
	return r
}

// Buy implements [wallet.Charger].
func (m *model) Buy(ctx context.Context, p wallet.Purchase) (wallet.Receipt, error) {
	invalid := p.Check()
	p.Validity = p.Validity.Truncate(time.Millisecond)
	return m.do(ctx, operation{p.ID, invalid, wallet.ChargeMemory, p, func(now time.Time) wallet.Receipt {
		if o := m.credential(p.Wallet, p.Generation); o != wallet.Applied {
			return m.answer(o, p.Wallet, p.Rule, now)
		}
		bought := pass{visits: p.Visits}
		if p.Validity > 0 {
			bought.until = now.Add(p.Validity)
		}
		if visits, until := m.visits(p.Wallet, p.Rule, now); visits > 0 {
			bought.visits += visits
			bought.until = later(bought.until, until)
		}
		mv := move{open(p.Wallet), siteBook, p.Price}
		o := m.room(mv)
		if o == wallet.Applied && bought.visits > wallet.MaxVisits {
			o = wallet.Limit
		}
		if o != wallet.Applied {
			return m.answer(o, p.Wallet, p.Rule, now)
		}
		m.passes[passKey{p.Wallet, p.Rule}] = bought
		m.write([]move{mv}, line{p.Wallet, wallet.Entry{
			ID: p.ID, Time: now, Kind: wallet.KindBuy, Visits: p.Visits, Rule: p.Rule,
		}})
		r := m.answer(wallet.Applied, p.Wallet, p.Rule, now)
		r.Amount, r.Until = p.Price, bought.until
		return r
	}})
}
