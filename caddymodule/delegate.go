package caddymodule

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// How a pooledLedger is a wallet.Ledger: it puts each question to the engine
// that is open, and notices in the answer that it has stopped.

// admit returns the engine to ask, which heard must then be told of.
func (p *pooledLedger) admit() (*engine, error) {
	e := p.engine.Load()
	if e.down != nil {
		return nil, e.down
	}
	return e, p.breaker.enter()
}

// heard takes note of an answer, and returns its error.
func (p *pooledLedger) heard(e *engine, err error) error {
	p.breaker.leave()
	switch {
	case err == nil:
	case errors.Is(err, wallet.ErrStopped):
		p.stop(e, err)
	default:
		p.breaker.late(err)
		if errors.Is(err, wallet.ErrUnavailable) && !e.up() {
			return downError{err} // the engine has told the log
		}
	}
	return err
}

// heardChange is heard for the answer to a change.
func (p *pooledLedger) heardChange(e *engine, outcome wallet.Outcome, err error) error {
	if err == nil && outcome == wallet.Applied {
		p.breaker.applied()
	}
	return p.heard(e, err)
}

// query puts a question to the ledger.
func query[Q, A any](ctx context.Context, p *pooledLedger, q Q, method func(wallet.Ledger, context.Context, Q) (A, error)) (answer A, err error) {
	e, err := p.admit()
	if err != nil {
		return answer, err
	}
	answer, err = method(e.Ledger, ctx, q)
	return answer, p.heard(e, err)
}

// change asks for an operation.
func change[Q any](ctx context.Context, p *pooledLedger, q Q, method func(wallet.Ledger, context.Context, Q) (wallet.Receipt, error)) (receipt wallet.Receipt, err error) {
	if err := p.breaker.try(); err != nil {
		return receipt, err
	}
	e, err := p.admit()
	if err != nil {
		return receipt, err
	}
	receipt, err = method(e.Ledger, ctx, q)
	return receipt, p.heardChange(e, receipt.Outcome, err)
}

// Standing implements [wallet.Charger]. It and Charge are asked for every page,
// and do without query and change, which copy what goes through them.
func (p *pooledLedger) Standing(ctx context.Context, q wallet.StandingQuery) (s wallet.Standing, err error) {
	e, err := p.admit()
	if err != nil {
		return s, err
	}
	s, err = e.Ledger.Standing(ctx, q)
	return s, p.heard(e, err)
}

// foresee guesses a standing without asking, where the engine can and nothing is wrong
// with it. Only who goes on to Charge may use the guess.
func (p *pooledLedger) foresee(q wallet.StandingQuery) (s wallet.Standing, is bool) {
	if e := p.engine.Load(); p.breaker.open() || !e.up() {
		return s, false
	} else if f, can := e.Ledger.(interface {
		Foresee(wallet.StandingQuery) (wallet.Standing, bool)
	}); can {
		return f.Foresee(q)
	}
	return s, false
}

// Charge implements [wallet.Charger].
func (p *pooledLedger) Charge(ctx context.Context, c wallet.Charge) (receipt wallet.Receipt, err error) {
	if err := p.breaker.try(); err != nil {
		return receipt, err
	}
	e, err := p.admit()
	if err != nil {
		return receipt, err
	}
	receipt, err = e.Ledger.Charge(ctx, c)
	return receipt, p.heardChange(e, receipt.Outcome, err)
}

// Buy implements [wallet.Charger].
func (p *pooledLedger) Buy(ctx context.Context, b wallet.Purchase) (wallet.Receipt, error) {
	return change(ctx, p, b, wallet.Ledger.Buy)
}

// Settle implements [wallet.Charger].
func (p *pooledLedger) Settle(ctx context.Context, s wallet.Settlement) (wallet.Receipt, error) {
	return change(ctx, p, s, wallet.Ledger.Settle)
}

// Transfer implements [wallet.Mover].
func (p *pooledLedger) Transfer(ctx context.Context, t wallet.Transfer) (wallet.Receipt, error) {
	return change(ctx, p, t, wallet.Ledger.Transfer)
}

// Hold implements [wallet.Mover].
func (p *pooledLedger) Hold(ctx context.Context, h wallet.Hold) (wallet.Receipt, error) {
	return change(ctx, p, h, wallet.Ledger.Hold)
}

// Capture implements [wallet.Mover].
func (p *pooledLedger) Capture(ctx context.Context, c wallet.Capture) (wallet.Receipt, error) {
	return change(ctx, p, c, wallet.Ledger.Capture)
}

// Release implements [wallet.Mover].
func (p *pooledLedger) Release(ctx context.Context, r wallet.Release) (wallet.Receipt, error) {
	return change(ctx, p, r, wallet.Ledger.Release)
}

// CreateWallet implements [wallet.Keeper].
func (p *pooledLedger) CreateWallet(ctx context.Context, c wallet.CreateWallet) (wallet.Receipt, error) {
	return change(ctx, p, c, wallet.Ledger.CreateWallet)
}

// Rekey implements [wallet.Keeper].
func (p *pooledLedger) Rekey(ctx context.Context, r wallet.Rekey) (wallet.Receipt, error) {
	return change(ctx, p, r, wallet.Ledger.Rekey)
}

// Freeze implements [wallet.Keeper].
func (p *pooledLedger) Freeze(ctx context.Context, f wallet.Freeze) (wallet.Receipt, error) {
	return change(ctx, p, f, wallet.Ledger.Freeze)
}

// Wallet implements [wallet.Keeper].
func (p *pooledLedger) Wallet(ctx context.Context, id wallet.WalletID) (wallet.Wallet, error) {
	return query(ctx, p, id, wallet.Ledger.Wallet)
}

// WalletByRecovery implements [wallet.Keeper].
func (p *pooledLedger) WalletByRecovery(ctx context.Context, recovery wallet.Digest) (wallet.Wallet, error) {
	return query(ctx, p, recovery, wallet.Ledger.WalletByRecovery)
}

// IssueVouchers implements [wallet.VoucherKeeper].
func (p *pooledLedger) IssueVouchers(ctx context.Context, i wallet.IssueVouchers) (wallet.Receipt, error) {
	return change(ctx, p, i, wallet.Ledger.IssueVouchers)
}

// Redeem implements [wallet.VoucherKeeper].
func (p *pooledLedger) Redeem(ctx context.Context, r wallet.Redeem) (wallet.Receipt, error) {
	return change(ctx, p, r, wallet.Ledger.Redeem)
}

// VoidVoucher implements [wallet.VoucherKeeper].
func (p *pooledLedger) VoidVoucher(ctx context.Context, v wallet.VoidVoucher) (wallet.Receipt, error) {
	return change(ctx, p, v, wallet.Ledger.VoidVoucher)
}

// Voucher implements [wallet.VoucherKeeper].
func (p *pooledLedger) Voucher(ctx context.Context, code wallet.Digest) (wallet.Voucher, error) {
	return query(ctx, p, code, wallet.Ledger.Voucher)
}

// Put implements [wallet.RegisterKeeper].
func (p *pooledLedger) Put(ctx context.Context, r wallet.Put) (wallet.Receipt, error) {
	return change(ctx, p, r, wallet.Ledger.Put)
}

// Register implements [wallet.RegisterKeeper].
func (p *pooledLedger) Register(ctx context.Context, name string) (wallet.Register, error) {
	return query(ctx, p, name, wallet.Ledger.Register)
}

// Verify implements [wallet.Auditor].
func (p *pooledLedger) Verify(ctx context.Context) (wallet.Audit, error) {
	return query(ctx, p, struct{}{}, func(l wallet.Ledger, ctx context.Context, _ struct{}) (wallet.Audit, error) {
		return l.Verify(ctx)
	})
}

// span is the question of a report.
type span struct{ from, to time.Time }

// Report implements [wallet.Auditor].
func (p *pooledLedger) Report(ctx context.Context, from, to time.Time) ([]wallet.Revenue, error) {
	return query(ctx, p, span{from, to}, func(l wallet.Ledger, ctx context.Context, q span) ([]wallet.Revenue, error) {
		return l.Report(ctx, q.from, q.to)
	})
}

// listing is the question of a list, and paged its answer.
type (
	listing struct {
		of     wallet.WalletID
		prefix string // of the names of registers
		cursor string
		limit  int
	}
	paged[T any] struct {
		page []T
		next string
	}
)

// Wallets implements [wallet.Keeper].
func (p *pooledLedger) Wallets(ctx context.Context, cursor string, limit int) ([]wallet.Wallet, string, error) {
	a, err := query(ctx, p, listing{cursor: cursor, limit: limit}, func(l wallet.Ledger, ctx context.Context, q listing) (a paged[wallet.Wallet], err error) {
		a.page, a.next, err = l.Wallets(ctx, q.cursor, q.limit)
		return a, err
	})
	return a.page, a.next, err
}

// Entries implements [wallet.Keeper].
func (p *pooledLedger) Entries(ctx context.Context, id wallet.WalletID, cursor string, limit int) ([]wallet.Entry, string, error) {
	a, err := query(ctx, p, listing{of: id, cursor: cursor, limit: limit}, func(l wallet.Ledger, ctx context.Context, q listing) (a paged[wallet.Entry], err error) {
		a.page, a.next, err = l.Entries(ctx, q.of, q.cursor, q.limit)
		return a, err
	})
	return a.page, a.next, err
}

// Vouchers implements [wallet.VoucherKeeper].
func (p *pooledLedger) Vouchers(ctx context.Context, cursor string, limit int) ([]wallet.Voucher, string, error) {
	a, err := query(ctx, p, listing{cursor: cursor, limit: limit}, func(l wallet.Ledger, ctx context.Context, q listing) (a paged[wallet.Voucher], err error) {
		a.page, a.next, err = l.Vouchers(ctx, q.cursor, q.limit)
		return a, err
	})
	return a.page, a.next, err
}

// Registers implements [wallet.RegisterKeeper].
func (p *pooledLedger) Registers(ctx context.Context, prefix, cursor string, limit int) ([]wallet.Register, string, error) {
	a, err := query(ctx, p, listing{prefix: prefix, cursor: cursor, limit: limit}, func(l wallet.Ledger, ctx context.Context, q listing) (a paged[wallet.Register], err error) {
		a.page, a.next, err = l.Registers(ctx, q.prefix, q.cursor, q.limit)
		return a, err
	})
	return a.page, a.next, err
}

// Close implements [wallet.Ledger] and does nothing: the pool closes the ledger,
// when nobody leases it any more.
func (*pooledLedger) Close() error { return nil }

// Interface guard
var _ wallet.Ledger = (*pooledLedger)(nil)
