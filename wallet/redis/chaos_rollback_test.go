package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// rollback is a server that comes back as it was earlier.
type rollback struct {
	testing.TB
	server *redistest.Server
	saved  string
}

// newRollback starts one, and two Caddys on it. They take it for one that may lose
// something, as a server with a replica is.
func newRollback(t testing.TB) (b *rollback, one, other *Ledger) {
	t.Helper()
	b = &rollback{TB: t, server: redistest.Start(t), saved: filepath.Join(t.TempDir(), "saved")}
	o := Options{Addresses: []string{b.server.Addr()}, Patience: chaosPatience, Timeout: chaosTimeout}
	one, other = openOn(t, o, nil), openOn(t, o, nil)
	one.promises.loses.Store(true)
	other.promises.loses.Store(true)
	return b, one, other
}

const aofDirectory = "appendonlydir"

// save keeps what the server has, which is all on the disk.
func (b *rollback) save() {
	b.Helper()
	if err := os.CopyFS(b.saved, os.DirFS(filepath.Join(b.server.Dir(), aofDirectory))); err != nil {
		b.Fatal(err)
	}
}

// back kills the server and starts it as it was.
func (b *rollback) back() {
	b.Helper()
	b.server.Kill()
	there := filepath.Join(b.server.Dir(), aofDirectory)
	if err := errors.Join(os.RemoveAll(there), os.CopyFS(there, os.DirFS(b.saved))); err != nil {
		b.Fatal(err)
	}
	b.server.Restart()
}

// chargeViews charges a wallet one view after the other, each of a page of its own.
func chargeViews(t testing.TB, l *Ledger, id wallet.WalletID, times int, price wallet.Amount, window time.Duration) (all []wallet.Charge) {
	t.Helper()
	for n := range times {
		c := wallet.Charge{
			ID: newOpID(), Wallet: id, Generation: 1, Rule: "news", Resource: fmt.Sprintf("news:/%d", n), Price: price, Window: window,
		}
		applied(t)(l.Charge(context.Background(), c))
		all = append(all, c)
	}
	return all
}

// remembered waits until nothing of this is missing any more.
func (b *rollback) remembered(l *Ledger, id wallet.WalletID, left wallet.Amount, all []wallet.Charge) {
	b.Helper()
	for deadline := time.Now().Add(5 * tendEvery); ; time.Sleep(20 * time.Millisecond) {
		w, err := l.Wallet(context.Background(), id)
		if err == nil && w.Available == left {
			break
		}
		if time.Now().After(deadline) {
			b.Fatalf("invariant 5: the wallet has %d, %v; want %d", w.Available, err, left)
		}
	}
	for n, c := range all {
		if r, err := l.Charge(context.Background(), c); err != nil || r.Outcome != wallet.Replayed {
			b.Errorf("invariant 5: acknowledged charge %d asked again answers %v, %v", n, r.Outcome, err)
		}
	}
	ledgertest.AssertConserved(b, l)
}

// One Caddy has lost charges that were paid from a top-up which another has lost. It is
// the first to notice, and what it carries out again is refused until the other one has
// noticed too: then it is carried out all the same.
func TestChaosWhatOneCaddyRepairsMayRestOnWhatAnotherOneDoes(t *testing.T) {
	b, one, other := newRollback(t)
	id := ledgertest.NewWallet(t, one, time.Now, 0)
	b.save()
	ledgertest.Fund(t, one, time.Now, id, 1000)
	all := chargeViews(t, other, id, 30, 10, time.Hour)
	b.back()
	for _, l := range []*Ledger{other, one} {
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if _, err := l.Wallet(t.Context(), id); err == nil {
				break
			} else if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	}
	b.remembered(other, id, 1000-30*10, all)
}

// fails lets some commands through, and then none for a while.
type fails struct {
	dies
	after atomic.Int32
	until atomic.Pointer[time.Time]
}

func (f *fails) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, c goredis.Cmder) error {
		if f.armed.Load() && f.after.Add(-1) < 0 {
			long := time.Now().Add(3 * chaosPatience)
			f.until.CompareAndSwap(nil, &long)
			if time.Now().Before(*f.until.Load()) {
				c.SetErr(errDead)
				return errDead
			}
		}
		return next(ctx, c)
	}
}

// The server is gone again in the middle of a repair. The next time it goes on.
func TestChaosARepairThatIsInterruptedIsCompleted(t *testing.T) {
	b, one, _ := newRollback(t)
	hook := new(fails)
	one.servers.one.AddHook(hook)
	id := ledgertest.NewWallet(t, one, time.Now, 1000)
	b.save()
	all := chargeViews(t, one, id, 30, 10, time.Hour)
	hook.after.Store(20)
	b.back()
	hook.armed.Store(true)
	b.remembered(one, id, 1000-30*10, all)
}

// holds keeps the next answer of a charge back until it is told.
type holds struct {
	dies
	held, answered chan struct{}
	release        chan struct{}
}

func (h *holds) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, c goredis.Cmder) error {
		if h.armed.CompareAndSwap(true, false) {
			err := next(ctx, c)
			close(h.held)
			<-h.release
			return err
		}
		err := next(ctx, c)
		select {
		case <-h.held:
			if err == nil && c.Name() == "fcall" {
				h.answered <- struct{}{}
			}
		default:
		}
		return err
	}
}

// The server has answered a charge and is back as it was before, and another flight has
// noticed, when the answer is read. Nobody remembered that charge yet: it is carried out
// again before it counts.
func TestChaosAnAnswerFromBeforeAFailoverDoesNotCount(t *testing.T) {
	b, one, other := newRollback(t)
	id := ledgertest.NewWallet(t, other, time.Now, 1000)
	busy := ledgertest.NewWallet(t, other, time.Now, 1000)
	b.save()
	all := chargeViews(t, one, id, 5, 10, time.Hour)
	hook := &holds{held: make(chan struct{}), release: make(chan struct{}), answered: make(chan struct{}, 1000)}
	one.servers.one.AddHook(hook)
	hook.armed.Store(true)
	charge := wallet.Charge{
		ID: newOpID(), Wallet: id, Generation: 1, Rule: "news", Resource: "news:/last", Price: 10, Window: time.Hour,
	}
	charged := make(chan error)
	go func() {
		r, err := one.Charge(context.Background(), charge)
		if err == nil && !r.Outcome.Done() {
			err = errors.New(r.Outcome.String())
		}
		charged <- err
	}()
	<-hook.held
	b.back()
	chargeViews(t, other, busy, 20, 10, time.Hour) // the new history is longer than the old one already
	go one.Wallet(context.Background(), id)
	<-hook.answered
	close(hook.release)
	if err := <-charged; err != nil {
		t.Fatal(err)
	}
	b.remembered(one, id, 1000-6*10, append(all, charge))
}

// An id was known, and before its record is read the server is back as it was before: no
// record is there, or another one in its place. Neither is an answer (invariant 6).
func TestChaosARecordThatAFailoverHasLostIsAskedForAgain(t *testing.T) {
	b, one, other := newRollback(t)
	id := ledgertest.NewWallet(t, one, time.Now, 1000)
	busy := ledgertest.NewWallet(t, one, time.Now, 1000)
	b.save()
	charge := chargeViews(t, one, id, 1, 10, time.Hour)[0]
	topUp := wallet.Transfer{ID: newOpID(), From: wallet.FundingOperator, To: wallet.WalletAccount(id), Amount: 10}
	applied(t)(one.Transfer(t.Context(), topUp))
	s := one.shardOf(id)
	type found struct {
		q *question
		a answer
	}
	var all []found
	for _, q := range []*question{
		{ask: askPrecheck, id: charge.ID, wallet: id, flags: 1, asked: askedOfCharge(&charge)},
		{ask: askPrecheck, id: topUp.ID, wallet: id, flags: 1, asked: askedOfTransfer(&topUp, id)},
	} {
		a, err := s.ask(t.Context(), q)
		if err != nil || a.outcome != outcomeKnown {
			t.Fatalf("an id that has taken effect is %d, %v", a.outcome, err)
		}
		all = append(all, found{q, a})
	}
	b.back()
	for _, more := range []int{0, 20} {
		chargeViews(t, other, busy, more, 10, time.Hour)
		for _, f := range all {
			if r, err := s.conclude(t.Context(), f.q, &f.a); !errors.Is(err, wallet.ErrUnavailable) {
				t.Errorf("invariant 6: what was lost, with %d other entries in its place, answers %v, %v", more, r.Outcome, err)
			}
		}
	}
	b.remembered(one, id, 1000, []wallet.Charge{charge})
}
