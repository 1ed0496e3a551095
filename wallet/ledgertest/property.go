package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Property runs random operations on an engine and on the model in step, and
// fails where they answer differently: in any field of a receipt, in a
// standing, in a listing or in the kind of an error. Time is an input: the
// clock moves to the edges of windows, holds, passes, vouchers and the memory
// of ids. A failure prints the shortest sequence that rapid finds, and how to
// repeat it; -rapid.checks and -rapid.steps make it look further.
func Property(t *testing.T, e Engine) {
	rapid.Check(t, func(rt *rapid.T) {
		p := newPair(t, rt, e)
		// One Repeat is too short for money to go far.
		for range 5 {
			rt.Repeat(p.actions())
		}
		p.look()
		for _, violation := range append(violations(p.ctx, p.real), violations(p.ctx, p.model)...) {
			rt.Error(violation)
		}
		if err := p.real.Close(); err != nil {
			rt.Errorf("Close: %v", err)
		}
	})
}

// pair is an engine and the model in step, and what the draws choose from.
type pair struct {
	*draws
	ctx    context.Context
	tb     testing.TB
	engine Engine
	real   wallet.Ledger
	model  wallet.Ledger
	past   []func() // send an operation again that took effect
	like   []func() // the same, but for one field
}

func newPair(t testing.TB, rt *rapid.T, e Engine) *pair {
	clock := NewClock(start)
	tb := &check{TB: t, rt: rt}
	p := &pair{
		ctx: rt.Context(), tb: tb, engine: e, real: e.Open(tb, clock.Now), model: newModel(clock.Now, e.IDsOfWallets),
	}
	p.draws = newDraws(rt, clock, func(id wallet.WalletID) uint32 {
		w, _ := p.model.Wallet(p.ctx, id) // generation 0 of a wallet that is not there
		return w.Generation
	})
	p.parts = e.Together != nil
	for _, id := range p.wallets[:3] {
		step(p, wallet.Ledger.CreateWallet, wallet.CreateWallet{ID: p.newID(0), Wallet: id})
		step(p, wallet.Ledger.Transfer, wallet.Transfer{
			ID: p.newID(0), From: card, To: wallet.WalletAccount(id), Amount: 20 * price,
		})
	}
	return p
}

// actions are the steps that rapid chooses among, some more often than others.
func (p *pair) actions() map[string]func(*rapid.T) {
	weights := []struct {
		name   string
		weight int
		act    func()
	}{
		{"Charge", 5, func() { step(p, wallet.Ledger.Charge, p.charge()) }},
		{"Buy", 2, func() { step(p, wallet.Ledger.Buy, p.buy()) }},
		{"Settle", 4, p.settleSome},
		{"Transfer", 3, func() { step(p, wallet.Ledger.Transfer, p.transfer()) }},
		{"Hold", 3, func() { step(p, wallet.Ledger.Hold, p.hold()) }},
		{"Capture", 3, p.captureSome},
		{"Release", 2, func() { step(p, wallet.Ledger.Release, p.release()) }},
		{"CreateWallet", 1, func() { step(p, wallet.Ledger.CreateWallet, p.create()) }},
		{"Rekey", 1, func() { step(p, wallet.Ledger.Rekey, p.rekey()) }},
		{"Freeze", 1, func() { step(p, wallet.Ledger.Freeze, p.freeze()) }},
		{"IssueVouchers", 2, func() { step(p, wallet.Ledger.IssueVouchers, p.issue()) }},
		{"Redeem", 2, func() { step(p, wallet.Ledger.Redeem, p.redeem()) }},
		{"VoidVoucher", 1, func() { step(p, wallet.Ledger.VoidVoucher, p.void()) }},
		{"Put", 3, func() { step(p, wallet.Ledger.Put, p.put()) }},
		{"Again", 2, func() { p.resend(p.past) }},
		{"Like", 1, p.resendAltered},
		{"Advance", 2, p.advance},
		{"Standing", 2, p.compareStanding},
		{"Look", 1, p.look},
		{"Pages", 1, p.comparePages},
		{"Reopen", 1, p.reopen},
	}
	actions := make(map[string]func(*rapid.T))
	for _, w := range weights {
		for i := range w.weight {
			actions[w.name+strings.Repeat("'", i)] = func(*rapid.T) { w.act() }
		}
	}
	return actions
}

// settleSome settles a charge, or first makes one that can be.
func (p *pair) settleSome() {
	if len(p.ahead) == 0 {
		c := p.charge()
		c.Ahead = true
		step(p, wallet.Ledger.Charge, c)
	}
	step(p, wallet.Ledger.Settle, p.settle())
}

// captureSome captures a hold, or first makes one.
func (p *pair) captureSome() {
	if len(p.held) == 0 {
		step(p, wallet.Ledger.Hold, p.hold())
	}
	step(p, wallet.Ledger.Capture, p.capture())
}

// step runs one operation on both and compares.
func step[Op any](p *pair, m method[Op], op Op) {
	got, err := m(p.real, p.ctx, op)
	want, wantErr := m(p.model, p.ctx, op)
	p.equal(fmt.Sprintf("%T%+v at %v", op, op, cut(p.clock.Now())), got, err, want, wantErr)
	if got.Outcome == wallet.Applied {
		p.remember(op, got)
		p.past = append(p.past, func() { step(p, m, op) })
		p.like = append(p.like, func() { step(p, m, altered(op, pick(p.draws, "field", contentOf[Op]()...))) })
	}
}

// equal compares an answer of the engine with the model's.
func (p *pair) equal(what string, got any, err error, want any, wantErr error) {
	if errorKind(err) != errorKind(wantErr) || !same(got, want) {
		p.rt.Fatalf("%s: the engine answers\n%+v, %v\nand the model\n%+v, %v", what, got, err, want, wantErr)
	}
}

// errorKind is the error of package wallet that err is.
func errorKind(err error) string {
	for _, kind := range []error{
		wallet.ErrInvalid, wallet.ErrNotFound, wallet.ErrUnavailable, wallet.ErrInUse, wallet.ErrCorrupt,
	} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return fmt.Sprint(err)
}

// resend sends one of the operations that took effect once more.
func (p *pair) resend(operations []func()) {
	if len(operations) > 0 {
		pick(p.draws, "operation", operations...)()
	}
}

// resendAltered sends one of them with other content.
func (p *pair) resendAltered() {
	if !p.once {
		p.resend(p.like)
	}
}

// advance moves the clock a little, or to the edge of something.
func (p *pair) advance() {
	now := cut(p.clock.Now())
	d := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Minute, time.Second}).Draw(p.rt, "advance")
	if edge, ok := p.edge(now); ok {
		d = max(0, edge.Sub(now))
	}
	p.clock.Advance(d)
}

func (p *pair) reopen() {
	if p.engine.Reopen != nil {
		p.real = p.engine.Reopen(p.tb, p.real, p.clock.Now)
	}
}
