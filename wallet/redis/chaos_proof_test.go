package redis

import (
	"context"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// prove is the end of each run.
func (r *run) prove() {
	r.Helper()
	r.recovers()
	if r.schedule.loses {
		r.eventually("nothing that was lost is refused any more", r.isRepaired)
	}
	r.findOut()
	if r.schedule.loses {
		r.findsEverything(func(got, was wallet.Receipt) bool { return got.ID == was.ID && got.Amount == was.Amount })
	} else {
		r.findsEverything(func(got, was wallet.Receipt) bool { return got == was })
		r.isLinearizable()
	}
	r.happenedOnce()
	r.addsUp()
	if r.result.lost > 0 || r.result.doubled > 0 {
		r.Errorf("%d lost, %d doubled", r.result.lost, r.result.doubled)
	}
	ledgertest.AssertConserved(r, r.all()[0])
}

// isRepaired reports whether the instances have carried out again all that they had to.
func (r *run) isRepaired() bool {
	for _, c := range r.all() {
		for _, s := range c.ledger.shards {
			s.acked.mu.Lock()
			left := len(s.acked.refused)
			s.acked.mu.Unlock()
			if left > 0 {
				return false
			}
		}
	}
	return true
}

// each calls do for all deeds, many at a time.
func (r *run) each(do func(c *caddy, d *deed)) {
	r.Helper()
	all := r.all()
	next := make(chan *deed)
	var askers sync.WaitGroup
	for i := range 32 {
		askers.Go(func() {
			for d := range next {
				do(all[i%len(all)], d)
			}
		})
	}
	for _, d := range r.deeds {
		next <- d
	}
	close(next)
	askers.Wait()
}

// findOut asks again for everything whose outcome is unknown (invariant 6).
func (r *run) findOut() {
	r.Helper()
	r.each(func(c *caddy, d *deed) {
		if d.answered || d.reads() {
			return
		}
		if s := r.insist(c, d.op); s.receipt.Outcome.Done() {
			d.said, d.answered, d.returned = s, true, r.since()
		} else {
			d.never = true
		}
	})
}

// insistence is how long an answer is waited for that has to come: a busy machine may keep
// an impatient ledger from several in a row.
const insistence = 30 * time.Second

// insist asks until there is an answer.
func (r *run) insist(c *caddy, op any) (s said) {
	r.Helper()
	for deadline := time.Now().Add(insistence); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		s, err := r.call(context.Background(), c, op)
		if err == nil {
			return s
		}
	}
	r.Errorf("invariant 6: asked again at the end, %T is not answered", op)
	return s
}

// findsEverything asks again for all that was acknowledged: it is remembered, with its
// first receipt (invariants 3, 5).
func (r *run) findsEverything(same func(got, was wallet.Receipt) bool) {
	r.Helper()
	var mu sync.Mutex
	r.each(func(c *caddy, d *deed) {
		if !d.done() {
			return
		}
		got, want := r.insist(c, d.op).receipt, d.receipt
		want.Outcome = wallet.Replayed
		if got.Outcome == wallet.Replayed && same(got, want) {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if r.result.lost++; r.result.lost <= 3 {
			r.Errorf("invariant 5: acknowledged %T asked again is\n%+v; was\n%+v, from %v to %v, asked in vain before: %v",
				d.op, got, d.receipt, d.called, d.returned, d.failed)
		}
	})
}

// isLinearizable checks what clients saw of each wallet.
func (r *run) isLinearizable() {
	r.Helper()
	for _, id := range r.wallets {
		m := newModel(id)
		result := m.linearizable(r.deeds, 5*time.Second)
		if result == porcupine.Unknown && r.options.Clock == nil {
			m.begun = r.begun
			result = m.linearizable(r.deeds, 20*time.Second)
		}
		if result != porcupine.Ok {
			r.Errorf("invariants 2, 3, 4: what clients saw of a wallet is %s: no order of its operations explains it", result)
		}
	}
}

// happenedOnce counts the journal's entries: one for each operation that took effect, in
// each wallet that it is about (invariants 3, 7).
func (r *run) happenedOnce() {
	r.Helper()
	times := make(map[wallet.WalletID]map[wallet.OpID]int)
	for _, id := range r.wallets {
		times[id] = make(map[wallet.OpID]int)
		for cursor, more := "", true; more; more = cursor != "" {
			page, next, err := r.all()[0].Entries(context.Background(), id, cursor, wallet.MaxPage)
			if err != nil {
				r.Fatalf("the entries of a wallet: %v", err)
			}
			for i := range page {
				times[id][page[i].ID]++
			}
			cursor = next
		}
	}
	for _, d := range r.deeds {
		if !d.done() {
			continue
		}
		giver, receiver := giverAndReceiver(d.op)
		for _, id := range []wallet.WalletID{giver, receiver} {
			switch n := times[id][d.id]; {
			case id == wallet.WalletID{}:
			case n == 0:
				r.result.lost++
			case n > 1:
				r.result.doubled++
			}
		}
	}
}

// addsUp compares the balances with what the clients believe (invariant 1).
func (r *run) addsUp() {
	r.Helper()
	available, held := r.beliefs()
	for _, id := range r.wallets {
		w, err := r.all()[0].Wallet(context.Background(), id)
		if err != nil || w.Available != available[id] || w.Held != held[id] {
			r.Errorf("invariant 1: a wallet has %d and holds %d, %v; by what its clients were told %d and %d",
				w.Available, w.Held, err, available[id], held[id])
		}
	}
}

// beliefs are the balances by the receipts that the clients were given.
func (r *run) beliefs() (available, held map[wallet.WalletID]wallet.Amount) {
	available, held = make(map[wallet.WalletID]wallet.Amount), make(map[wallet.WalletID]wallet.Amount)
	holds := make(map[wallet.OpID]wallet.Amount)
	for _, id := range r.wallets {
		available[id] = chaosFunds
	}
	for _, d := range r.deeds {
		if h, is := d.op.(wallet.Hold); is {
			holds[h.ID] = h.Amount
		}
	}
	for _, d := range r.deeds {
		if !d.done() {
			continue
		}
		switch op := d.op.(type) {
		case wallet.Charge:
			available[op.Wallet] -= d.receipt.Amount
		case wallet.Settlement:
			available[op.Wallet] += d.receipt.Amount
		case wallet.Transfer:
			available[op.From.Wallet] -= d.receipt.Amount
			available[op.To.Wallet] += d.receipt.Amount
		case wallet.Hold:
			available[op.Wallet] -= op.Amount
			held[op.Wallet] += op.Amount
		case wallet.Capture:
			available[op.Wallet] += holds[op.Hold] - d.receipt.Amount
			held[op.Wallet] -= holds[op.Hold]
		case wallet.Release:
			available[op.Wallet] += d.receipt.Amount
			held[op.Wallet] -= d.receipt.Amount
		}
	}
	return available, held
}
