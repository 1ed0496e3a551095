package local

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Settle implements [wallet.Charger].
func (l *Ledger) Settle(ctx context.Context, s wallet.Settlement) (wallet.Receipt, error) {
	if err := s.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindRefund)).bytes(s.Wallet[:]).
		text(s.Resource).bool(s.Delivered).hash()
	key := resourceKeyOf(s.Resource)
	return l.do(ctx, operation{s.ID, wallet.KindRefund, asked}, func(d *decision) { d.settle(&s, key) })
}

func (d *decision) settle(s *wallet.Settlement, key resourceKey) {
	w := d.receiver(s.Wallet)
	if w == nil {
		return
	}
	r := &d.record
	g, known := d.grants.find(grantKey{r.walletAt, key}, d.now)
	if !known || !g.has(grantAhead) {
		d.refuse(wallet.NotFound)
		return
	}
	pass := d.passes.of(r.walletAt, g.rule)
	visits, _ := pass.left(d.now)
	r.rule, r.resource, r.key = d.passes.names[g.rule], s.Resource, key
	r.visits, r.balance = uint64(visits), w.available
	o := wallet.Applied
	switch {
	case g.has(grantSettled):
		o = wallet.Spent
	case s.Delivered:
		r.kind, r.until = wallet.KindDeliver, g.until
	default:
		o = d.refund(w, g, pass)
	}
	if o != wallet.Applied {
		d.refuseWith(o, w)
		d.receipt.Visits = int(visits)
		return
	}
	d.accept()
}

// refund fills in the record that gives a charge's visit or price back, or
// reports why it cannot.
func (d *decision) refund(w *purse, g grant, p *pass) wallet.Outcome {
	r := &d.record
	if g.has(grantCaptured) {
		r.until = g.until
	}
	if g.price == 0 {
		r.flags = flagVisit
		switch {
		case p == nil || over(p.until, d.now):
			return wallet.Applied // the visit is lost with its pass
		case p.visits == wallet.MaxVisits:
			return wallet.Limit
		}
		r.flags |= flagRestored
		r.visits = uint64(p.visits) + 1
		return wallet.Applied
	}
	if o := d.accounts.mayGive(wallet.Site, g.price); o != wallet.Applied {
		return o
	}
	r.amount, r.balance = g.price, w.available+g.price
	return w.mayTake(g.price)
}
