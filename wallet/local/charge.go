package local

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Standing implements [wallet.Charger].
func (l *Ledger) Standing(ctx context.Context, q wallet.StandingQuery) (wallet.Standing, error) {
	key := resourceKeyOf(q.Resource)
	var standing wallet.Standing
	err := l.look(ctx, func(now int64) (rests uint64) {
		w, at := l.state.purses.find(q.Wallet)
		if w == nil {
			standing.Credential = wallet.NotFound
			return 0
		}
		if q.Generation == 0 {
			q.Generation = w.generation
		}
		standing.Credential = w.judge(q.Generation)
		if standing.Credential == wallet.Revoked {
			return w.last
		}
		standing.Available = w.available
		visits, until := l.state.passes.find(w, at, q.Rule).left(now)
		standing.Visits, standing.VisitsUntil = int(visits), timeOf(until)
		if g, known := l.state.grants.find(grantKey{at, key}, now); known && !g.has(grantClosed) {
			standing.GrantedUntil = timeOf(g.until)
			standing.Ahead = g.has(grantAhead) && !g.has(grantSettled)
		}
		return w.last
	})
	if err != nil {
		return wallet.Standing{}, err
	}
	return standing, nil
}

// Charge implements [wallet.Charger].
func (l *Ledger) Charge(ctx context.Context, c wallet.Charge) (wallet.Receipt, error) {
	if err := c.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindCharge)).bytes(c.Wallet[:]).number(int64(c.Generation)).
		text(c.Rule).text(c.Resource).number(int64(c.Price)).duration(c.Window).bool(c.Ahead).hash()
	key := resourceKeyOf(c.Resource)
	return l.do(ctx, operation{c.ID, wallet.KindCharge, asked}, func(d *decision) { d.charge(&c, key) })
}

func (d *decision) charge(c *wallet.Charge, key resourceKey) {
	w := d.spender(c.Wallet, c.Generation, c.Rule)
	if w == nil {
		return
	}
	r := &d.record
	pass := d.passes.find(w, r.walletAt, c.Rule)
	visits, _ := pass.left(d.now)
	if g, known := d.grants.find(grantKey{r.walletAt, key}, d.now); known && !g.has(grantClosed) {
		d.refuseWith(wallet.Granted, w)
		d.receipt.Visits, d.receipt.Until = int(visits), timeOf(g.until)
		return
	}
	switch {
	case visits > 0:
		r.kind, r.visits, r.balance = wallet.KindVisit, uint64(visits-1), w.available
	case c.Price == 0:
		d.refuseWith(wallet.Insufficient, w)
		return
	default:
		if o := d.pay(w, c.Price); o != wallet.Applied {
			d.refuseWith(o, w)
			return
		}
	}
	r.rule, r.resource, r.key = c.Rule, c.Resource, key
	r.until = d.now + c.Window.Milliseconds()
	if c.Ahead {
		r.flags = flagAhead
	}
	d.accept()
}

// Buy implements [wallet.Charger].
func (l *Ledger) Buy(ctx context.Context, p wallet.Purchase) (wallet.Receipt, error) {
	if err := p.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindBuy)).bytes(p.Wallet[:]).number(int64(p.Generation)).
		text(p.Rule).number(int64(p.Price)).number(int64(p.Visits)).duration(p.Validity).hash()
	return l.do(ctx, operation{p.ID, wallet.KindBuy, asked}, func(d *decision) { d.buy(&p) })
}

func (d *decision) buy(p *wallet.Purchase) {
	w := d.spender(p.Wallet, p.Generation, p.Rule)
	if w == nil {
		return
	}
	r := &d.record
	left, end := d.passes.find(w, r.walletAt, p.Rule).left(d.now)
	r.visits, r.bought, r.rule = uint64(left)+uint64(p.Visits), uint64(p.Visits), p.Rule
	if ms := p.Validity.Milliseconds(); ms > 0 {
		r.until = d.now + ms
	}
	if left > 0 {
		r.until = laterEnd(r.until, end)
	}
	o := d.pay(w, p.Price)
	if o == wallet.Applied && r.visits > wallet.MaxVisits {
		o = wallet.Limit
	}
	if o != wallet.Applied {
		d.refuseWith(o, w)
		d.receipt.Visits = int(left)
		return
	}
	d.accept()
}
