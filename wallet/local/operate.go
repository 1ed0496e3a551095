package local

import (
	"context"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// operation is what the ledger must know of an operation before it is decided.
type operation struct {
	id      wallet.OpID
	kind    wallet.Kind // one of the kinds it may become; says how long its id is remembered
	content uint64
}

// decision is an operation being decided: what is asked of the books, and what
// comes out. There is one at a time, under the ledger's mutex.
type decision struct {
	*state
	now     int64
	record  record // to be made by the operation, where it is Applied
	receipt wallet.Receipt
	rests   uint64 // newest position of the journal that a refusal rests on
}

// everything is the position that rests on all there is.
const everything = 1<<64 - 1

// refuse answers with an outcome that changes nothing and comes alone.
func (d *decision) refuse(o wallet.Outcome) { d.receipt = wallet.Receipt{Outcome: o} }

// refuseWith answers with an outcome that changes nothing and shows the wallet.
func (d *decision) refuseWith(o wallet.Outcome, w *purse) {
	d.receipt = wallet.Receipt{Outcome: o, Balance: w.available}
}

// accept answers Applied with the record that the operation has made.
func (d *decision) accept() { d.receipt.Outcome = wallet.Applied }

// spender returns the wallet that a credential opens, or refuses; rule is empty
// where the operation has no visits to tell. A refusal rests on nothing but that
// wallet.
func (d *decision) spender(id wallet.WalletID, generation uint32, rule string) *purse {
	w, at := d.purses.find(id)
	if w == nil {
		d.refuse(wallet.NotFound)
		return nil
	}
	d.rests = w.last
	d.record.wallet, d.record.walletAt = id, at
	switch w.judge(generation) {
	case wallet.Revoked:
		d.refuse(wallet.Revoked)
		return nil
	case wallet.Frozen:
		d.refuseWith(wallet.Frozen, w)
		visits, _ := d.passes.find(w, at, rule).left(d.now)
		d.receipt.Visits = int(visits)
		return nil
	}
	return w
}

// judge says what a credential of a generation may do: Applied, Revoked or
// Frozen.
func (w *purse) judge(generation uint32) wallet.Outcome {
	switch {
	case generation != w.generation:
		return wallet.Revoked
	case w.frozen:
		return wallet.Frozen
	}
	return wallet.Applied
}

// receiver returns a wallet by id, or refuses with NotFound.
func (d *decision) receiver(id wallet.WalletID) *purse {
	w, at := d.purses.find(id)
	if w == nil {
		d.refuse(wallet.NotFound)
		return nil
	}
	d.record.wallet, d.record.walletAt = id, at
	return w
}

// pay moves an amount from a wallet to the site in the record, or reports why
// it cannot: Applied, Insufficient or Limit.
func (d *decision) pay(w *purse, amount wallet.Amount) wallet.Outcome {
	if amount > w.available {
		return wallet.Insufficient
	}
	if o := d.accounts.mayEarn(amount); o != wallet.Applied {
		d.rests = everything
		return o
	}
	d.record.amount, d.record.balance = amount, w.available-amount
	return wallet.Applied
}

// do judges an operation, carries it out if decide accepts it, and answers when
// everything the answer rests on is durable.
func (l *Ledger) do(ctx context.Context, op operation, decide func(d *decision)) (wallet.Receipt, error) {
	now, err := l.begin(ctx)
	if err != nil {
		return wallet.Receipt{}, err
	}
	switch verdict, at := l.state.judge(op, now); verdict {
	case idStale:
		l.mu.Unlock()
		return wallet.Receipt{Outcome: wallet.Stale}, nil
	case idKnown:
		return l.replay(ctx, op, at)
	}
	d := &l.decision
	*d = decision{state: l.state, now: now, rests: everything}
	d.record.kind, d.record.id, d.record.time, d.record.content = op.kind, op.id, now, op.content
	decide(d)
	receipt := d.receipt
	var f *flight
	if receipt.Outcome == wallet.Applied {
		receipt = d.record.receipt(wallet.Applied)
		f, err = l.commit(&d.record)
	} else {
		f = l.settled(d.rests)
	}
	l.mu.Unlock()
	if err == nil {
		err = f.wait(ctx)
	}
	if err != nil {
		return wallet.Receipt{}, err
	}
	return receipt, nil
}

// judge says what the id of an operation says about it. That of a put is for its
// register to know, all but its age.
func (s *state) judge(op operation, now int64) (v verdict, at uint64) {
	if op.kind != wallet.KindPut {
		return s.ids.judge(op.id, op.kind, now)
	}
	if now-idTime(op.id) > wallet.ChargeMemory.Milliseconds() {
		return idStale, 0
	}
	return idNew, 0
}

// begin opens every method: it takes l.mu, or refuses. It lets a full flight
// leave first, and expires the holds whose end has come.
func (l *Ledger) begin(ctx context.Context) (now int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, unavailable(err)
	}
	l.mu.Lock()
	for expired := false; !expired; {
		for l.boarding.full() && l.failure == nil && !l.closing {
			l.room.Wait()
		}
		if err := l.refusal(); err != nil {
			l.mu.Unlock()
			return 0, err
		}
		now = l.clock().UnixMilli()
		expired = l.expireHolds(now)
	}
	if err := l.failure; err != nil {
		l.mu.Unlock()
		return 0, err
	}
	return now, nil
}

// refusal is why the ledger takes no operations any more, or nil.
func (l *Ledger) refusal() error {
	if l.closing {
		return errClosed
	}
	return l.failure
}

// replay answers an operation whose id took effect before, from the record that
// stands at a position; it gives l.mu back.
func (l *Ledger) replay(ctx context.Context, op operation, at uint64) (wallet.Receipt, error) {
	var first record
	if err := l.fetch(ctx, at, op.id, &first); err != nil {
		return wallet.Receipt{}, err
	}
	if first.content != op.content {
		return wallet.Receipt{Outcome: wallet.Conflict}, nil
	}
	return first.receipt(wallet.Replayed), nil
}

// fetch reads the record at a position, of an operation with an id, when it is
// durable; it gives l.mu back. The zero id is any.
func (l *Ledger) fetch(ctx context.Context, at uint64, id wallet.OpID, to *record) error {
	f, rules := l.settled(at), l.state.passes.names
	l.readers.Add(1)
	defer l.readers.Done()
	l.mu.Unlock()
	if err := f.wait(ctx); err != nil {
		return err
	}
	reader := l.journal.reader()
	defer reader.close()
	if err := reader.record(at, to); err != nil {
		return err
	}
	if to.id != id && id != (wallet.OpID{}) || to.nameRule(rules) != nil {
		return corrupt("the record at %d is not the one that was written there", at)
	}
	return nil
}

// look opens a method that only reads, runs it under l.mu and waits until what
// it saw is durable. see returns the newest position it has looked at.
func (l *Ledger) look(ctx context.Context, see func(now int64) (rests uint64)) error {
	now, err := l.begin(ctx)
	if err != nil {
		return err
	}
	f := l.settled(see(now))
	l.mu.Unlock()
	return f.wait(ctx)
}
