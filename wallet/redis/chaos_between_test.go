package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
	"github.com/caddy-paywall/caddy-paywall/wallet/redis/redistest"
)

// dies kills an instance at one of its commands, before the server has it or after it was
// carried out. It is a hook of the client library's.
type dies struct {
	ledger *Ledger
	at     int32 // which command; the first is 1
	after  bool
	armed  atomic.Bool
	count  atomic.Int32
	dead   atomic.Bool
	last   atomic.Pointer[string] // the command
}

var errDead = errors.New("this process is dead")

func (d *dies) DialHook(next goredis.DialHook) goredis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (d *dies) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}

func (d *dies) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, c goredis.Cmder) error {
		if d.dead.Load() {
			return errDead
		}
		if !d.armed.Load() || d.count.Add(1) < d.at {
			return next(ctx, c)
		}
		name := c.Name()
		d.last.Store(&name)
		if d.after {
			_ = next(ctx, c)
		}
		d.dead.Store(true)
		d.ledger.end()
		return errDead
	}
}

// A Caddy dies at each step of a transfer between two shards: before and after each of
// its commands. Whatever it has left undone another one does within seconds, the money
// arrives once, and at no instant in between is any gone (invariants 1, 3).
func TestChaosATransferBetweenShardsSurvivesItsCaddyAtEachStep(t *testing.T) {
	o := Options{Addresses: []string{redistest.Start(t).Addr()}, Shards: 2, Patience: chaosPatience, Timeout: chaosTimeout}
	survivor := openOn(t, o, nil)
	var ended atomic.Bool
	var auditor sync.WaitGroup
	audits := 0
	auditor.Go(func() {
		for ; !ended.Load(); audits++ {
			if a, err := survivor.Verify(context.Background()); err != nil || !a.OK() {
				t.Errorf("invariant 1: while money is on its way the audit is %+v, %v", a, err)
				return
			}
		}
	})
	var transfers []wallet.Transfer
	const steps = 5 // of a transfer: may it arrive, debit, what is on its way, credit, out of the outbox
	for n := range 2 * steps {
		l := openOn(t, o, nil)
		d := &dies{ledger: l, at: int32(n/2 + 1), after: n%2 == 1}
		l.servers.one.AddHook(d)
		pay := wallet.Transfer{
			ID: newOpID(), From: wallet.WalletAccount(walletIn(t, l, 0, wallet.Unit)), To: wallet.WalletAccount(walletIn(t, l, 1, 0)),
			Generation: 1, Amount: wallet.Unit / 4,
		}
		transfers = append(transfers, pay)
		d.armed.Store(true)
		if _, err := l.Transfer(t.Context(), pay); !errors.Is(err, wallet.ErrUnavailable) {
			t.Fatalf("a Caddy that died before or after command %d has answered: %v", d.at, err)
		}
		t.Logf("died at command %d, %s, executed: %v", d.at, *d.last.Load(), d.after)
	}
	for n, pay := range transfers {
		debited := n >= 3 // the debit is the second command
		for deadline := time.Now().Add(5 * tendEvery); ; time.Sleep(20 * time.Millisecond) {
			err := has(survivor, pay, debited)
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("invariant 1: after a death at step %d: %v", n/2+1, err)
			}
		}
	}
	for _, pay := range transfers {
		if r, err := survivor.Transfer(t.Context(), pay); err != nil || !r.Outcome.Done() {
			t.Errorf("invariant 6: asked again the transfer answers %v, %v", r.Outcome, err)
		}
		if err := has(survivor, pay, true); err != nil {
			t.Errorf("invariant 3: asked again, %v", err)
		}
	}
	ended.Store(true)
	auditor.Wait()
	t.Logf("%d audits meanwhile", audits)
	ledgertest.AssertConserved(t, survivor)
}

// has compares what the two wallets of a transfer have, before or after it.
func has(l *Ledger, pay wallet.Transfer, after bool) error {
	var moved wallet.Amount
	if after {
		moved = pay.Amount
	}
	giver, err := l.Wallet(context.Background(), pay.From.Wallet)
	if err != nil {
		return err
	}
	receiver, err := l.Wallet(context.Background(), pay.To.Wallet)
	if err == nil && (giver.Available != wallet.Unit-moved || receiver.Available != moved) {
		err = fmt.Errorf("the giver has %s and the receiver %s, where %s moved", giver.Available, receiver.Available, moved)
	}
	return err
}
