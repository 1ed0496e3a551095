package local

import (
	"context"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Hold implements [wallet.Mover].
func (l *Ledger) Hold(ctx context.Context, h wallet.Hold) (wallet.Receipt, error) {
	if err := h.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindHold)).bytes(h.Wallet[:]).number(int64(h.Generation)).
		number(int64(h.Amount)).duration(h.TTL).hash()
	return l.do(ctx, operation{h.ID, wallet.KindHold, asked}, func(d *decision) {
		w := d.spender(h.Wallet, h.Generation, "")
		switch {
		case w == nil:
		case h.Amount > w.available:
			d.refuseWith(wallet.Insufficient, w)
		default:
			d.record.amount, d.record.balance = h.Amount, w.available-h.Amount
			d.record.until = d.now + h.TTL.Milliseconds()
			d.accept()
		}
	})
}

// Capture implements [wallet.Mover].
func (l *Ledger) Capture(ctx context.Context, c wallet.Capture) (wallet.Receipt, error) {
	if err := c.Check(); err != nil {
		return wallet.Receipt{}, err
	}
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindCapture)).bytes(c.Wallet[:]).bytes(c.Hold[:]).
		number(int64(c.Amount)).text(c.Rule).text(c.Resource).duration(c.Window).hash()
	key := resourceKeyOf(c.Resource)
	return l.do(ctx, operation{c.ID, wallet.KindCapture, asked}, func(d *decision) { d.capture(&c, key) })
}

func (d *decision) capture(c *wallet.Capture, key resourceKey) {
	h, w := d.openHold(c.Wallet, c.Hold)
	if h == nil {
		return
	}
	o := wallet.Insufficient
	if c.Amount <= h.amount {
		o = d.accounts.mayEarn(c.Amount)
	}
	if o != wallet.Applied {
		d.refuseWith(o, w)
		return
	}
	r := &d.record
	r.amount, r.held, r.balance = c.Amount, h.amount, w.available+h.amount-c.Amount
	r.rule, r.resource = c.Rule, c.Resource
	if c.Resource != "" {
		r.key, r.until = key, d.now+c.Window.Milliseconds()
		if g, known := d.grants.find(grantKey{r.walletAt, key}, d.now); known && !g.has(grantClosed) {
			r.until = max(r.until, g.until)
		}
	}
	d.accept()
}

// Release implements [wallet.Mover].
func (l *Ledger) Release(ctx context.Context, r wallet.Release) (wallet.Receipt, error) {
	var room [contentRoom]byte
	asked := content(room[:0]).number(int64(wallet.KindRelease)).bytes(r.Wallet[:]).bytes(r.Hold[:]).hash()
	return l.do(ctx, operation{r.ID, wallet.KindRelease, asked}, func(d *decision) {
		if h, w := d.openHold(r.Wallet, r.Hold); h != nil {
			d.record.release(h, w)
			d.accept()
		}
	})
}

// release makes the record give a hold back.
func (r *record) release(h *hold, w *purse) {
	r.amount, r.held, r.balance = h.amount, h.amount, w.available+h.amount
}

// openHold returns a wallet's hold that can be captured or released, and the
// wallet, or refuses.
func (d *decision) openHold(id wallet.WalletID, of wallet.OpID) (*hold, *purse) {
	w := d.receiver(id)
	if w == nil {
		return nil, nil
	}
	h := d.holds.find(of)
	switch {
	case h == nil || h.wallet != d.record.walletAt || d.now-h.until > holdMemory:
		d.refuse(wallet.NotFound)
		return nil, nil
	case h.resolved:
		d.refuseWith(wallet.Spent, w)
		return nil, nil
	}
	d.record.ends = of
	return h, w
}

// expireHolds gives the holds back whose end has come, as of that end, with l.mu
// held. It comes before anything that looks at the books. It reports whether
// that was all: where very many end at once, the flight may be full before.
func (l *Ledger) expireHolds(now int64) bool {
	for {
		h := l.state.holds.expired(now)
		if h == nil {
			return true
		}
		if l.boarding.full() {
			return false
		}
		w := l.state.purses.list.at(h.wallet)
		r := record{
			kind: wallet.KindRelease, flags: flagExpired, id: h.id, time: h.until,
			ends: h.id, wallet: w.id, walletAt: h.wallet,
		}
		r.release(h, w)
		if _, err := l.commit(&r); err != nil {
			return true
		}
	}
}

// sweepEvery is how often the sweeper looks for what has ended. It also bounds
// how long an expired hold may stay unwritten while nobody asks for anything.
const sweepEvery = 250 * time.Millisecond

// sweptAtOnce is how many shards of the grants the sweeper looks through then, one
// after the other: all of them in eight seconds.
const sweptAtOnce = 8

// sweep forgets what has ended, a little at a time, until the ledger closes.
func (l *Ledger) sweep() {
	defer l.background.Done()
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for shard := 0; ; shard++ {
		if shard%sweptAtOnce == 0 {
			select {
			case <-l.stopped:
				return
			case <-ticker.C:
			}
		}
		now, err := l.begin(context.Background())
		if err != nil {
			return
		}
		l.state.forget(now, shard%tableShards)
		l.mu.Unlock()
	}
}

// forget drops what has ended from one shard of the grants, and from the rest.
// It changes no answer.
func (s *state) forget(now int64, shard int) {
	s.grants.sweep(shard, now)
	s.holds.forget(now)
	s.ids.forget(now)
}
