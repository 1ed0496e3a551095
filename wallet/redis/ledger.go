package redis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/internal/pacing"
)

// Ledger is the distributed ledger: it implements [wallet.Ledger] and is safe for
// concurrent use. Make one with [Open]. Any number of them, in any number of
// processes, share the books.
type Ledger struct {
	options  Options
	log      *slog.Logger
	servers  *servers
	library  *library
	identity string // as the shards have it; its first part is id
	promises *promises
	shards   []*shard
	id       string // of the books, random

	foresight foresight

	closing    atomic.Bool
	down       atomic.Int32 // shards that did not answer when they were last asked
	flights    sync.WaitGroup
	background context.Context
	end        context.CancelFunc
	workers    sync.WaitGroup
	closed     sync.Once
}

var errClosed = fmt.Errorf("%w: closed", wallet.ErrUnavailable)

// Open connects to the servers and finds the ledger there, or makes one. It refuses
// servers that do not promise what the durability asks for. The text of each error
// says what to do.
func Open(o Options) (*Ledger, error) {
	if err := o.settle(); err != nil {
		return nil, fmt.Errorf("ledger redis: %w", err)
	}
	quiet()
	l := &Ledger{options: o, log: o.Log, library: cmp.Or(o.library, usual)}
	var err error
	if l.servers, err = dial(&o); err != nil {
		return nil, fmt.Errorf("ledger redis: %w", err)
	}
	l.background, l.end = context.WithCancel(context.Background())
	l.promises = &promises{durability: o.Durability, assume: o.AssumeDurable, every: o.promisesEvery, log: o.Log, servers: l.servers, failover: o.Master != ""}
	if err := l.open(); err != nil {
		l.end()
		err = fmt.Errorf("ledger redis: %w", err)
		if classifiable(err) && !errors.Is(err, wallet.ErrCorrupt) {
			err = fmt.Errorf("%w: %s", err, cure(errors.Unwrap(err)))
		}
		return nil, errors.Join(err, l.servers.close())
	}
	l.workers.Add(2)
	go func() { defer l.workers.Done(); l.promises.watch(l.background) }()
	go func() { defer l.workers.Done(); l.tend(l.background) }()
	if o.Archive != nil {
		l.workers.Go(func() { l.archive(l.background) })
	}
	return l, nil
}

func (l *Ledger) open() error {
	ctx, cancel := context.WithTimeout(l.background, l.options.Patience+l.options.Timeout)
	defer cancel()
	if err := l.patiently(ctx, func() error { return l.promises.read(ctx) }); err != nil {
		return err
	}
	if err := l.loadLibrary(ctx); err != nil {
		return err
	}
	count, err := l.identify(ctx)
	if err != nil {
		return err
	}
	for n := range count {
		l.shards = append(l.shards, &shard{keys: newKeys(l.options.Name, n), number: n, ledger: l, pacing: pacing.Pacing{Gather: gatherFor, Full: enoughFlight}})
	}
	if err := l.inscribe(ctx); err != nil {
		return err
	}
	if l.options.Archive != nil && l.options.MustBe == "" { // what was open before and is again goes on selling
		return newArchivist(l).admit(ctx)
	}
	return nil
}

// patiently calls do until it succeeds, judges, or ctx ends: at a start a server may
// still be loading, or a failover be under way.
func (l *Ledger) patiently(ctx context.Context, do func() error) error {
	var said error // the last that was more than that the time is over
	for n := 0; ; n++ {
		err := do()
		if err == nil || !classifiable(err) || isUntrusted(err) || hasPrefix(err, "NOAUTH") || hasPrefix(err, "WRONGPASS") || hasPrefix(err, "NOPERM") {
			return err
		}
		if !errors.Is(err, context.DeadlineExceeded) || said == nil {
			said = err
		}
		select {
		case <-ctx.Done():
			return said
		case <-time.After(pause(n)):
		}
	}
}

// loadLibrary gives the library to every master.
func (l *Ledger) loadLibrary(ctx context.Context) error {
	return l.servers.eachMaster(ctx, l.library.load)
}

// refusal is why the ledger takes no questions, or nil.
func (l *Ledger) refusal() error {
	if l.closing.Load() {
		return errClosed
	}
	return l.promises.refusal()
}

// now is the time by this instance: near enough to that of the servers to choose keys.
func (l *Ledger) now() time.Time {
	if l.options.Clock != nil {
		return l.options.Clock()
	}
	return time.Now()
}

// root is the shard with what belongs to no wallet.
func (l *Ledger) root() *shard { return l.shards[0] }

func (l *Ledger) shardOf(id wallet.WalletID) *shard { return l.shards[shardOf(id, len(l.shards))] }

// Close implements [wallet.Ledger].
func (l *Ledger) Close() error {
	var err error
	l.closed.Do(func() {
		l.closing.Store(true)
		for _, s := range l.shards {
			s.lastCall()
		}
		l.flights.Wait()
		l.end()
		l.workers.Wait()
		err = l.servers.close()
	})
	return err
}

var _ wallet.Ledger = (*Ledger)(nil)
