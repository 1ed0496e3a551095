package local

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Settle implements [wallet.Charger]. What a charge took stands in its record
// alone, so that the books keep nothing of it: the record is read first, and the
// decision made if it is still the charge to settle.
func (l *Ledger) Settle(ctx context.Context, s wallet.Settlement) (wallet.Receipt, error) {
	if err := s.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	op := operation{s.ID, wallet.KindRefund, settlementContent(&s)}
	key := resourceKeyOf(s.Resource)
	for {
		of, err := l.chargeToSettle(ctx, &s, key)
		if err != nil {
			return wallet.Receipt{}, err
		}
		current := true
		r, err := l.do(ctx, op, func(d *decision) {
			if current = of.at == d.chargeToSettle(&s, key, d.now); current {
				d.settle(&s, key, &of)
			} else {
				d.rests = 0 // it is asked again
			}
		})
		if current || err != nil {
			return r, err
		}
	}
}

// settlementContent is the content of a settlement.
func settlementContent(s *wallet.Settlement) uint64 {
	var room [contentRoom]byte
	return content(room[:0]).number(int64(wallet.KindRefund)).bytes(s.Wallet[:]).
		text(s.Resource).bytes(s.Charge[:]).bool(s.Delivered).hash()
}

// charged is a charge as the journal has it.
type charged struct {
	at uint64 // position; zero: there is none
	record
}

// chargeToSettle reads the charge that a settlement ends.
func (l *Ledger) chargeToSettle(ctx context.Context, s *wallet.Settlement, key resourceKey) (charged, error) {
	now, err := l.begin(ctx)
	if err != nil {
		return charged{}, err
	}
	of := charged{at: l.state.chargeToSettle(s, key, now)}
	if of.at == 0 {
		l.mu.Unlock()
		return of, nil
	}
	err = l.fetch(ctx, of.at, s.Charge, &of.record)
	return of, err
}

// chargeToSettle returns the position of the charge that a settlement ends, or
// zero. One found by an id may be something else than a charge.
func (s *state) chargeToSettle(to *wallet.Settlement, key resourceKey, now int64) (at uint64) {
	if to.Charge != (wallet.OpID{}) {
		return s.ids.chargeAt(to.Charge, now)
	}
	w, walletAt := s.purses.find(to.Wallet)
	if w == nil {
		return 0
	}
	g, known := s.grants.find(grantKey{walletAt, key}, now)
	if !known || !g.has(grantAhead) {
		return 0
	}
	return g.paid
}

// chargeAt returns the position of the record of an id, or zero where it is not
// remembered. A charge whose settlement may have been forgotten is forgotten
// too, though the clock went back: it would be settled twice.
func (m *idMemory) chargeAt(id wallet.OpID, now int64) uint64 {
	made := idTime(id)
	if made <= max(m.charges.dropped, m.settled.dropped) {
		return 0
	}
	at, _ := m.charges.find(id, made, now)
	return at
}

// settle decides what becomes of a charge.
func (d *decision) settle(s *wallet.Settlement, key resourceKey, of *charged) {
	w := d.receiver(s.Wallet)
	if w == nil {
		return
	}
	if of.at == 0 || of.kind != wallet.KindCharge && of.kind != wallet.KindVisit ||
		of.walletAt != d.record.walletAt || of.resource != s.Resource {
		d.refuse(wallet.NotFound)
		return
	}
	r := &d.record
	g, known := d.grants.at(grantKey{r.walletAt, key})
	own := known && g.paid == of.at
	pass := d.passes.find(w, r.walletAt, of.rule)
	visits, _ := pass.left(d.now)
	r.ends, r.rule, r.resource, r.key = of.id, of.rule, of.resource, key
	r.visits, r.balance = uint64(visits), w.available
	if !own {
		r.flags = flagPast
	}
	if known && !over(g.until, d.now) && !g.has(grantClosed) && (s.Delivered || !own || g.has(grantCaptured)) {
		r.until = g.until
	}
	o := wallet.Applied
	switch _, settled := d.ids.settled.find(of.id, idTime(of.id), d.now); {
	case settled || own && g.has(grantSettled):
		o = wallet.Spent
	case s.Delivered:
		r.kind = wallet.KindDeliver
	default:
		o = d.refund(w, of, pass)
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
func (d *decision) refund(w *purse, of *charged, p *pass) wallet.Outcome {
	r := &d.record
	if of.kind == wallet.KindVisit {
		r.flags |= flagVisit
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
	if o := d.accounts.mayGive(wallet.Site, of.amount); o != wallet.Applied {
		return o
	}
	r.amount, r.balance = of.amount, w.available+of.amount
	return w.mayTake(of.amount)
}
