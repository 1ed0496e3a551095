package ledgertest

import (
	"context"
	"testing"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// trial is one scenario under way: an engine's ledger and a clock.
type trial struct {
	testing.TB
	engine Engine
	l      wallet.Ledger
	clock  *Clock
	closed bool // the scenario has closed the ledger
}

// The start is an odd fraction of a millisecond before noon, UTC, so that an
// engine that does not cut off the rest of its clock's time shows it.
var start = time.Date(2026, time.March, 1, 11, 59, 59, 123_456_789, time.UTC)

// What the scenarios sell, and the hundred units most wallets begin with.
const (
	rule     = "news"
	article  = "news:/a"
	price    = wallet.Unit / 10
	hundred  = 100 * wallet.Unit
	window   = time.Hour
	validity = 30 * 24 * time.Hour
)

func newTrial(t testing.TB, e Engine) *trial {
	clock := NewClock(start)
	return &trial{TB: t, engine: e, l: e.Open(t, clock.Now), clock: clock}
}

// method is an operation of the ledger, such as wallet.Ledger.Charge.
type method[Op any] func(wallet.Ledger, context.Context, Op) (wallet.Receipt, error)

// do runs an operation that must be answered, and gives it an id if it has
// none.
func do[Op any](b *trial, m method[Op], op Op) wallet.Receipt {
	b.Helper()
	if idOf(op) == (wallet.OpID{}) {
		op = withID(op, b.id())
	}
	r, err := m(b.l, b.Context(), op)
	if err != nil {
		b.Fatalf("%T: %v", op, err)
	}
	return r
}

// expect runs an operation and compares its whole receipt. Applied ones need
// not repeat the id and the time. An operation that answers anything else must
// have changed nothing.
func expect[Op any](b *trial, m method[Op], op Op, want wallet.Receipt) wallet.Receipt {
	b.Helper()
	if idOf(op) == (wallet.OpID{}) {
		op = withID(op, b.id())
	}
	if want.Outcome == wallet.Applied {
		want.ID, want.Time = idOf(op), b.now()
	}
	before := b.snapshot()
	got := do(b, m, op)
	if !same(got, want) {
		b.Fatalf("%T answered\n%+v, want\n%+v", op, got, want)
	}
	if got.Outcome != wallet.Applied {
		b.unchanged(before, op, got.Outcome)
	}
	return got
}

// again runs an operation that has taken effect before: the first receipt
// comes back and nothing changes (invariant 3).
func again[Op any](b *trial, m method[Op], op Op, first wallet.Receipt) {
	b.Helper()
	first.Outcome = wallet.Replayed
	expect(b, m, op, first)
}

func (b *trial) unchanged(before snapshot, op any, o wallet.Outcome) {
	b.Helper()
	if after := b.snapshot(); !same(before, after) {
		b.Fatalf("%T answered %v and changed the ledger from\n%+v\nto\n%+v", op, o, before, after)
	}
}

// snapshot is all that a ledger shows without being asked about a resource.
type snapshot struct {
	Wallets  []wallet.Wallet
	Entries  [][]wallet.Entry // of each wallet
	Vouchers []wallet.Voucher
	Register []wallet.Register
	Report   []wallet.Revenue
}

func (b *trial) snapshot() snapshot {
	b.Helper()
	s, err := takeSnapshot(b.Context(), b.l)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func takeSnapshot(ctx context.Context, l wallet.Ledger) (s snapshot, err error) {
	if s.Wallets, err = all(func(cursor string) ([]wallet.Wallet, string, error) {
		return l.Wallets(ctx, cursor, wallet.MaxPage)
	}); err != nil {
		return s, err
	}
	for _, w := range s.Wallets {
		entries, err := all(func(cursor string) ([]wallet.Entry, string, error) {
			return l.Entries(ctx, w.ID, cursor, wallet.MaxPage)
		})
		if err != nil {
			return s, err
		}
		s.Entries = append(s.Entries, entries)
	}
	if s.Vouchers, err = all(func(cursor string) ([]wallet.Voucher, string, error) {
		return l.Vouchers(ctx, cursor, wallet.MaxPage)
	}); err != nil {
		return s, err
	}
	if s.Register, err = all(func(cursor string) ([]wallet.Register, string, error) {
		return l.Registers(ctx, "", cursor, wallet.MaxPage)
	}); err != nil {
		return s, err
	}
	s.Report, err = l.Report(ctx, time.Time{}, farFuture)
	return s, err
}

// farFuture is after everything.
var farFuture = time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC)

// now is the time as the ledger counts it.
func (b *trial) now() time.Time { return cut(b.clock.Now()) }

func (b *trial) id() wallet.OpID { return NewID(b, b.clock.Now) }

// idAt makes an id of another time than now.
func (b *trial) idAt(t time.Time) wallet.OpID { return NewID(b, func() time.Time { return t }) }

// wallet creates a wallet with an amount in it.
func (b *trial) wallet(amount wallet.Amount) wallet.WalletID {
	b.Helper()
	return NewWallet(b, b.l, b.clock.Now, amount)
}

// neighbour creates an empty wallet that shares with another all accounts that have a
// name, with their limits.
func (b *trial) neighbour(of wallet.WalletID) wallet.WalletID {
	b.Helper()
	id := wallet.WalletID(b.id())
	for b.engine.Together != nil && !b.engine.Together(of, id) {
		id = wallet.WalletID(b.id())
	}
	if r := do(b, wallet.Ledger.CreateWallet, wallet.CreateWallet{Wallet: id}); r.Outcome != wallet.Applied {
		b.Fatalf("creating a wallet: %v", r.Outcome)
	}
	return id
}

func (b *trial) fund(id wallet.WalletID, amount wallet.Amount) {
	b.Helper()
	Fund(b, b.l, b.clock.Now, id, amount)
}

// look returns a wallet that must exist.
func (b *trial) look(id wallet.WalletID) wallet.Wallet {
	b.Helper()
	w, err := b.l.Wallet(b.Context(), id)
	if err != nil {
		b.Fatalf("wallet %s: %v", id, err)
	}
	return w
}

// has checks what a wallet can spend and what it holds.
func (b *trial) has(id wallet.WalletID, available, held wallet.Amount) {
	b.Helper()
	if w := b.look(id); w.Available != available || w.Held != held {
		b.Fatalf("the wallet has %s and holds %s, want %s and %s", w.Available, w.Held, available, held)
	}
}

// stands checks a whole standing.
func (b *trial) stands(q wallet.StandingQuery, want wallet.Standing) {
	b.Helper()
	got, err := b.l.Standing(b.Context(), q)
	if err != nil || !same(got, want) {
		b.Fatalf("Standing answered\n%+v, %v, want\n%+v", got, err, want)
	}
}

// lastEntry checks a wallet's newest entry whole.
func (b *trial) lastEntry(id wallet.WalletID, want wallet.Entry) {
	b.Helper()
	got, _, err := b.l.Entries(b.Context(), id, "", 1)
	if err != nil || len(got) != 1 || !same(got[0], want) {
		b.Fatalf("invariant 7: the newest entry is\n%+v, %v, want\n%+v", got, err, want)
	}
}

// reopen closes the ledger and opens it again.
func (b *trial) reopen() { b.l = b.engine.Reopen(b, b.l, b.clock.Now) }

func view(id wallet.WalletID, resource string) wallet.Charge {
	return wallet.Charge{Wallet: id, Generation: 1, Rule: rule, Resource: resource, Price: price, Window: window}
}

func bundle(id wallet.WalletID, visits int) wallet.Purchase {
	return wallet.Purchase{Wallet: id, Generation: 1, Rule: rule, Price: wallet.Unit, Visits: visits, Validity: validity}
}

func pay(from, to wallet.Account, amount wallet.Amount) wallet.Transfer {
	return wallet.Transfer{From: from, To: to, Generation: 1, Amount: amount, Note: "lunch"}
}

func set(id wallet.WalletID, amount wallet.Amount) wallet.Hold {
	return wallet.Hold{Wallet: id, Generation: 1, Amount: amount, TTL: 10 * time.Minute}
}
