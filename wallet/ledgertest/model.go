package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
)

// model is the contract in plain data structures. Nothing is ever forgotten;
// what an engine would have forgotten is recognised by its time.
type model struct {
	clock        func() time.Time
	idsOfWallets bool // as [Engine] says

	mu       sync.Mutex
	closed   bool
	balance  map[book]wallet.Amount
	wallets  map[wallet.WalletID]*purse
	created  []wallet.WalletID // in order of creation
	recovery map[wallet.Digest]wallet.WalletID
	passes   map[passKey]pass
	grants   map[grantKey]grant
	charges  map[idKey]*charge
	holds    map[idKey]*hold
	vouchers []*voucher // by serial number, from 1
	codes    map[wallet.Digest]*voucher
	register map[string]wallet.Register
	memory   map[idKey]memory
	journal  []record
}

var _ wallet.Ledger = (*model)(nil)

// NewModel returns an empty ledger in memory that reads the time from clock.
// It is the reference for the contract and the ledger for tests of the layers
// above; it is safe for concurrent use and starts no goroutine.
// It knows an id in all operations, whatever wallet they are about.
func NewModel(clock func() time.Time) wallet.Ledger { return newModel(clock, false) }

func newModel(clock func() time.Time, idsOfWallets bool) *model {
	return &model{
		clock: clock, idsOfWallets: idsOfWallets,
		balance:  make(map[book]wallet.Amount),
		wallets:  make(map[wallet.WalletID]*purse),
		recovery: make(map[wallet.Digest]wallet.WalletID),
		passes:   make(map[passKey]pass),
		grants:   make(map[grantKey]grant),
		charges:  make(map[idKey]*charge),
		holds:    make(map[idKey]*hold),
		codes:    make(map[wallet.Digest]*voucher),
		register: make(map[string]wallet.Register),
		memory:   make(map[idKey]memory),
	}
}

// errClosed is what a closed model answers.
var errClosed = fmt.Errorf("%w: closed", wallet.ErrUnavailable)

// Close implements [wallet.Ledger].
func (m *model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// operation is what an operation's method hands to do.
type operation struct {
	id      wallet.OpID
	invalid error         // of the operation's Check
	memory  time.Duration // how long its id is remembered
	content any           // all of it, with times and durations to the millisecond
	decide  func(now time.Time) wallet.Receipt
}

// memory is an id that took effect.
type memory struct {
	end     time.Time // the last instant at which it is remembered
	content any
	receipt wallet.Receipt
}

// idKey is how an id is looked up.
type idKey struct {
	wallet wallet.WalletID // zero where ids are not of wallets
	id     wallet.OpID
}

// key looks an id up in the operations about a wallet, or in all of them.
func (m *model) key(about wallet.WalletID, id wallet.OpID) idKey {
	if !m.idsOfWallets {
		return idKey{id: id}
	}
	return idKey{about, id}
}

// do judges an operation in the order the contract gives, carries it out and
// remembers it if it took effect.
func (m *model) do(ctx context.Context, op operation) (wallet.Receipt, error) {
	if op.invalid != nil {
		return wallet.Receipt{}, op.invalid
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now, err := m.begin(ctx)
	if err != nil {
		return wallet.Receipt{}, err
	}
	if answer, judged := m.judgeID(op, now); judged {
		return answer, nil
	}
	receipt := op.decide(now)
	if receipt.Outcome == wallet.Applied {
		receipt.ID, receipt.Time = op.id, now
		m.memory[m.key(history.About(op.content), op.id)] = memory{
			end: op.id.Time().Add(op.memory), content: op.content, receipt: receipt,
		}
	}
	return receipt, nil
}

// begin opens every method, with m.mu held: it refuses an ended context and a
// closed ledger, and brings the ledger up to now.
func (m *model) begin(ctx context.Context) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, errors.Join(wallet.ErrUnavailable, err)
	}
	if m.closed {
		return time.Time{}, errClosed
	}
	now := cut(m.clock())
	m.expireHolds(now)
	return now, nil
}

// judgeID answers an operation by its id alone, where that is possible.
func (m *model) judgeID(op operation, now time.Time) (wallet.Receipt, bool) {
	if now.Sub(op.id.Time()) > op.memory {
		return wallet.Receipt{Outcome: wallet.Stale}, true
	}
	if past, known := m.memory[m.key(history.About(op.content), op.id)]; known && !now.After(past.end) {
		if !reflect.DeepEqual(past.content, op.content) {
			return wallet.Receipt{Outcome: wallet.Conflict}, true
		}
		again := past.receipt
		again.Outcome = wallet.Replayed
		return again, true
	}
	if op.id.Time().Sub(now) > wallet.MaxClockSkew {
		return wallet.Receipt{Outcome: wallet.Stale}, true
	}
	return wallet.Receipt{}, false
}

// cut is t to the millisecond, in UTC so that equal times compare equal.
func cut(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// later is the later of two ends, of which a zero one never comes.
func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	return slices.MaxFunc([]time.Time{a, b}, time.Time.Compare)
}

// over reports whether an end has come; a zero one never does.
func over(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }
