package redis

import (
	"math"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// What one wallet may do, one operation at a time. Two wallets that a transfer is between
// are checked apart: it is a debit of the one and a credit of the other.

// model is one wallet's operations, by numbers that are small.
type model struct {
	id      wallet.WalletID
	numbers map[wallet.OpID]int
	deeds   []*deed // by number
	pages   map[string]int
	begun   time.Time // of the run, where the search may go by the times in receipts; else zero
}

// state is all that a wallet is. It is never changed, only made anew.
type state struct {
	available, held wallet.Amount
	marks           string                // of each operation, by number
	grants          [chaosResources]int16 // one more than the number of the charge that paid; negative where it was refunded
}

// The marks of an operation.
const (
	notYet = iota
	effective
	over // a charge that was settled, a hold that was captured or released
)

func newModel(id wallet.WalletID) *model {
	return &model{id: id, numbers: make(map[wallet.OpID]int), pages: make(map[string]int)}
}

// linearizable reports whether the deeds of a wallet can have happened one after the
// other, each between its call and its answer.
func (m *model) linearizable(deeds []*deed, within time.Duration) porcupine.CheckResult {
	var history []porcupine.Operation
	for _, d := range deeds {
		giver, receiver := giverAndReceiver(d.op)
		if d.never || giver != m.id && (receiver != m.id || d.answered && !d.done()) {
			continue
		}
		if _, known := m.numbers[d.id]; !known {
			m.numbers[d.id] = len(m.deeds)
			m.deeds = append(m.deeds, d)
		}
		if d.done() {
			m.deeds[m.numbers[d.id]] = d
		}
		if !d.answered && d.reads() {
			continue
		}
		from, to := m.interval(d)
		history = append(history, porcupine.Operation{Input: d, Call: int64(from), Return: int64(to)})
	}
	step := func(s, d, _ any) (bool, any) { return m.step(s.(state), d.(*deed)) }
	return porcupine.CheckOperationsTimeout(porcupine.Model{
		Init: func() any { return state{available: chaosFunds, marks: string(make([]byte, len(m.deeds)))} },
		Step: step,
	}, history, within)
}

// interval is between which instants a deed took effect. Many that waited together make
// too many orders to try; then the times in their receipts, by the servers' clock, which
// is also this one, leave fewer. An order that is found so is one all the same.
func (m *model) interval(d *deed) (from, to time.Duration) {
	const apart = 2 * time.Millisecond // the clocks, and what a receipt cuts off
	from, to = d.called, d.returned
	if !d.answered {
		return from, math.MaxInt64
	}
	if giver, _ := giverAndReceiver(d.op); !m.begun.IsZero() && d.done() && giver == m.id {
		at := d.receipt.Time.Sub(m.begun)
		from, to = max(from, at-apart), min(to, at+apart)
	}
	return from, to
}

// step carries a deed out, and reports whether it can have answered what it did. One
// whose outcome is unknown takes effect if it can: if it never did, it may come last.
func (m *model) step(s state, d *deed) (bool, state) {
	n := m.numbers[d.id]
	switch op := d.op.(type) {
	case wallet.WalletID:
		return s.available == d.wallet.Available && s.held == d.wallet.Held, s
	case wallet.StandingQuery:
		grant := s.grants[m.page(op.Resource)]
		return s.available == d.standing.Available && (grant > 0) == !d.standing.GrantedUntil.IsZero(), s
	case wallet.Charge:
		outcome := wallet.Applied
		grant := &s.grants[m.page(op.Resource)]
		switch {
		case *grant > 0:
			outcome = wallet.Granted
		case s.available < op.Price:
			outcome = wallet.Insufficient
		default:
			s.available -= op.Price
			s.marks = mark(s.marks, n, effective)
			*grant = int16(n + 1)
		}
		return d.fits(outcome, s.available), s
	case wallet.Settlement:
		return m.settle(s, d, op)
	case wallet.Transfer:
		return m.transfer(s, d, op)
	case wallet.Hold:
		if s.available < op.Amount {
			return d.fits(wallet.Insufficient, s.available), s
		}
		s.available, s.held = s.available-op.Amount, s.held+op.Amount
		s.marks = mark(s.marks, n, effective)
		return d.fits(wallet.Applied, s.available), s
	case wallet.Capture:
		return m.resolve(s, d, op.Hold, op.Amount)
	case wallet.Release:
		return m.resolve(s, d, op.Hold, 0)
	}
	return false, s
}

func (m *model) settle(s state, d *deed, op wallet.Settlement) (bool, state) {
	grant := &s.grants[m.page(op.Resource)]
	of, known := m.numbers[op.Charge]
	if op.Charge == (wallet.OpID{}) {
		of = int(max(*grant, -*grant)) - 1
		known = of >= 0 && m.deeds[of].op.(wallet.Charge).Ahead
	}
	switch {
	case !known || s.marks[of] == notYet:
		return d.fits(wallet.NotFound, 0), s
	case s.marks[of] == over:
		return d.fits(wallet.Spent, s.available), s
	}
	s.marks = mark(s.marks, of, over)
	if !op.Delivered {
		s.available += m.deeds[of].op.(wallet.Charge).Price
		if *grant == int16(of+1) {
			*grant = -*grant
		}
	}
	return d.fits(wallet.Applied, s.available), s
}

func (m *model) transfer(s state, d *deed, op wallet.Transfer) (bool, state) {
	if op.To.Wallet == m.id {
		s.available += op.Amount
		return op.From.IsWallet() || d.fits(wallet.Applied, s.available), s
	}
	if s.available < op.Amount {
		return d.fits(wallet.Insufficient, s.available), s
	}
	s.available -= op.Amount
	return d.fits(wallet.Applied, s.available), s
}

// resolve captures a part of a hold, or nothing of it.
func (m *model) resolve(s state, d *deed, hold wallet.OpID, amount wallet.Amount) (bool, state) {
	of, known := m.numbers[hold]
	switch {
	case !known || s.marks[of] == notYet:
		return d.fits(wallet.NotFound, 0), s
	case s.marks[of] == over:
		return d.fits(wallet.Spent, s.available), s
	}
	held := m.deeds[of].op.(wallet.Hold).Amount
	s.marks = mark(s.marks, of, over)
	s.available, s.held = s.available+held-amount, s.held-held
	return d.fits(wallet.Applied, s.available), s
}

// fits reports whether this is what the deed has answered. What was asked again answers
// Replayed with the first receipt.
func (d *deed) fits(outcome wallet.Outcome, balance wallet.Amount) bool {
	if !d.answered {
		return true
	}
	if outcome == wallet.Applied {
		return d.done() && d.receipt.Balance == balance
	}
	return d.receipt.Outcome == outcome && d.receipt.Balance == balance
}

func (m *model) page(resource string) int {
	n, known := m.pages[resource]
	if !known {
		n = len(m.pages)
		m.pages[resource] = n
	}
	return n
}

func mark(marks string, n int, with byte) string {
	b := []byte(marks)
	b[n] = with
	return string(b)
}
