package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// pooledLedger is a store's ledger for every configuration that has it. It asks
// the engine that is open now (see delegate.go). One that has stopped is closed and
// opened again, as often as it takes: a site must not need somebody at night
// who restarts it once the disk has room again. Until then it answers at once
// that it is down, so that no requests pile up. One that comes back by itself, as
// that on Redis does, is left to itself.
type pooledLedger struct {
	store   LedgerModule
	log     *slog.Logger
	engine  atomic.Pointer[engine]
	breaker breaker

	stopped chan stopped   // what keep is to open again: at most one
	done    chan struct{}  // closed when nobody needs the ledger any more
	keeper  sync.WaitGroup // of keep
}

// engine is an open ledger, or the reason why there is none.
type engine struct {
	wallet.Ledger
	down error
}

// up reports whether there is a ledger and it can be asked, as far as it knows.
func (e *engine) up() bool {
	if e.down != nil {
		return false
	}
	store, ok := e.Ledger.(interface{ Up() bool })
	return !ok || store.Up()
}

// stopped is a ledger that is of no more use, and why.
type stopped struct {
	wallet.Ledger
	cause error
}

// When a ledger that has stopped is opened again. A full disk may have room a
// moment later; one that has none for an hour should not be asked too often.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// intactEvery is how often a ledger is asked whether its store is still there.
const intactEvery = time.Second

// handover is how long the first opening waits for a store that is in use:
// another Caddy may be on its way out, or this one may be closing the ledger of
// the configuration before last.
const handover = 2 * time.Second

// closeTimeout is how long is waited for a ledger to close. It makes everything
// durable as it goes, so that nothing is lost if the process ends before.
const closeTimeout = 10 * time.Second

// openPooled opens a store. A store that cannot be opened is an error at once:
// a paywall that cannot take money does not start.
func openPooled(store LedgerModule) (caddy.Destructor, error) {
	p := &pooledLedger{
		store: store, log: slog.New(currentLog{}),
		stopped: make(chan stopped, 1), done: make(chan struct{}),
	}
	p.breaker.log, p.breaker.advice = p.log, adviceOn(store)
	for deadline := time.Now().Add(handover); ; time.Sleep(handover / 40) {
		ledger, err := store.OpenLedger(p.log, false)
		switch {
		case err == nil:
			p.engine.Store(&engine{Ledger: ledger})
			p.keeper.Go(p.keep)
			return p, nil
		case !errors.Is(err, wallet.ErrInUse) || time.Now().After(deadline):
			return nil, err
		}
	}
}

// Destruct closes the ledger. It runs when the last lease has been given back,
// in whoever gave it back: a store that stands still must hold up neither the
// last request nor a reload for longer than closeTimeout.
func (p *pooledLedger) Destruct() error {
	close(p.done)
	closed := make(chan error, 1)
	go func() {
		p.keeper.Wait()
		if e := p.engine.Load(); e.down == nil {
			closed <- e.Ledger.Close()
			return
		}
		closed <- nil
	}()
	select {
	case err := <-closed:
		return err
	case <-time.After(closeTimeout):
		return fmt.Errorf("the ledger does not close in time; look at %s", adviceOn(p.store))
	}
}

// up reports whether the ledger can be asked.
func (p *pooledLedger) up() bool { return p.engine.Load().up() && !p.breaker.open() }

// ledgersUp is 1 if every ledger of this process can be asked, and there is one.
func ledgersUp() (up float64) {
	ledgers.Range(func(_, ledger any) bool {
		up = 0
		if ledger.(*pooledLedger).up() {
			up = 1
		}
		return up == 1
	})
	return up
}

// stop takes an engine out of service. Only the first who notices that it has
// stopped does so.
func (p *pooledLedger) stop(e *engine, cause error) {
	if p.engine.CompareAndSwap(e, &engine{down: downError{cause}}) {
		p.stopped <- stopped{e.Ledger, cause}
	}
}

// keep watches over the ledger until nobody needs it any more.
func (p *pooledLedger) keep() {
	look := time.NewTicker(intactEvery)
	defer look.Stop()
	for {
		select {
		case <-p.done:
			return
		case s := <-p.stopped:
			p.reopen(s)
		case <-look.C:
			p.inspect(p.engine.Load())
			p.breaker.report()
		}
	}
}

// inspect asks an engine that can tell whether its store is still there.
func (p *pooledLedger) inspect(e *engine) {
	if guarded, ok := e.Ledger.(interface{ Intact() error }); ok {
		if err := guarded.Intact(); err != nil {
			p.stop(e, err)
		}
	}
}

// reopen opens a store again until that works or nobody needs it any more.
func (p *pooledLedger) reopen(s stopped) {
	// What Close has to say is why the ledger stopped, which the log has heard,
	// and whether the store can be used is for the opening to find out.
	_ = s.Close()
	told := ""
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		select {
		case <-p.done:
			return
		case <-time.After(pause):
		}
		ledger, err := p.store.OpenLedger(p.log, true)
		if err == nil {
			p.breaker.reset()
			p.engine.Store(&engine{Ledger: ledger})
			p.log.Info("the ledger is open again")
			return
		}
		if said := err.Error(); said != told {
			told = said
			p.engine.Store(&engine{down: downError{err}})
			p.log.Error("the ledger cannot be opened; the paywall answers 503 and tries again by itself", "error", err)
		}
	}
}

// downError is what is answered while the ledger is known to be down. The log
// has heard why, once, and need not hear it from every request.
type downError struct{ cause error }

func (e downError) Error() string {
	return fmt.Sprintf("%v: it is down: %v", wallet.ErrUnavailable, e.cause)
}

func (e downError) Unwrap() error { return wallet.ErrUnavailable }

// isLogged reports whether the log has heard of an error already, from the ledger
// or from what watches over it. A thousand requests a second that all say it
// again would hide it.
func isLogged(err error) bool {
	var down downError
	return errors.As(err, &down) || errors.Is(err, wallet.ErrStopped) || errors.Is(err, context.DeadlineExceeded)
}

// complain tells the log that something failed at the ledger, unless it knows.
func (a *App) complain(doing string, err error) {
	if !isLogged(err) {
		a.logger.Error(doing, zap.Error(err))
	}
}

// Interface guard
var _ caddy.Destructor = (*pooledLedger)(nil)
