package bridge

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/emv"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/offline"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/screen"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// How often the paywall is told what is owed, and how the kiosk is.
const (
	settleEvery = 200 * time.Millisecond
	reportEvery = 30 * time.Second
)

// Bridge is a kiosk at work.
type Bridge struct {
	config  Config
	client  *client.Client
	desk    *tap.Desk
	version string
	log     *slog.Logger
	screen  *screen.Screen
	browser *actuator.Browser // nil: something else opens
	meters  *meters
	offline *offline.Authority

	mu      sync.Mutex
	product *wire.Product    // as the paywall sells it; nil: not known yet, or not sold
	readers map[string]error // and what is wrong with them
	news    bool             // the paywall has not heard of all of them
	backlog int
	paidAt  string // the reader of the newest tap that has opened something
	seats   map[string]*seat
}

// New makes a kiosk ready, with the journal that a crash may have left.
func New(c Config, id *client.Identity, j *journal.Journal, version string, log *slog.Logger) (*Bridge, error) {
	paywall, err := client.New(id, nil)
	if err != nil {
		return nil, err
	}
	opens, err := c.Actuator.actuator()
	if err != nil {
		return nil, err
	}
	own, err := newAuthority(id, paywall, log)
	if err != nil {
		return nil, err
	}
	b := &Bridge{
		config: c, client: paywall, version: version, log: log, screen: screen.New(id.Site, time.Now), readers: make(map[string]error),
		offline: own, seats: make(map[string]*seat),
		desk: &tap.Desk{
			Kiosk: id.Kiosk, Paywall: paywall, Actuator: opens, Patience: time.Duration(c.Patience), Opening: time.Duration(c.Actuator.Timeout),
			CaptureUnknown: c.CaptureUnknown, Now: time.Now, Random: rand.Reader, Log: log,
			Offline: own, OfflinePatience: time.Duration(c.OfflinePatience),
		},
	}
	b.sells(own.Products())
	if browser, is := opens.(*actuator.Browser); is {
		browser.Paywall, browser.Show = paywall, b.screen.Offer
		b.browser = browser
	}
	b.meters = newMeters(b)
	b.desk.Took = b.meters.took
	return b, b.desk.Start(j)
}

// Run watches the readers until ctx ends, or one that is read once has ended and there is
// no other. What is owed is told to the paywall before it returns, if that answers.
func (b *Bridge) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	bank, err := b.config.EMV.terminal()
	if err != nil {
		return err
	}
	var tending, watching sync.WaitGroup
	if err := errors.Join(
		serve(ctx, "the screen", b.config.Screen, b.screen.Handler(), &tending),
		serve(ctx, "metrics", b.config.Metrics, &b.meters.page, &tending),
	); err != nil {
		stop()
		tending.Wait()
		return err
	}
	context.AfterFunc(ctx, b.screen.Cancel) // a tap is brought to its end without a PIN
	b.reset(ctx)
	b.report(ctx)
	tending.Go(func() { b.tend(ctx) })
	for _, r := range b.config.Readers {
		driver, err := r.driver(bank)
		if err != nil {
			stop()
			return err
		}
		watching.Go(func() {
			if err := b.meters.watch(driver).Run(ctx, b); err != nil && ctx.Err() == nil {
				b.log.Info("a reader is watched no longer", "driver", r.Driver, "why", err)
			}
		})
	}
	watching.Wait()
	stop()
	tending.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), client.Timeout)
	defer cancel()
	_, err = b.desk.Settle(last)
	return err
}

// reset brings to rest what a crash may have left open. Where that fails the kiosk goes on:
// what cannot be opened refuses, and the money goes back.
func (b *Bridge) reset(ctx context.Context) {
	if r, can := b.desk.Actuator.(actuator.Resetter); can {
		if err := r.Reset(ctx); err != nil {
			b.log.Error("what opens cannot be brought to rest", "error", err)
		}
	}
}

// serve serves pages at an address until ctx ends. An empty address is nowhere.
func serve(ctx context.Context, what, address string, pages http.Handler, serving *sync.WaitGroup) error {
	if address == "" {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	server := &http.Server{Handler: pages, ReadHeaderTimeout: client.Timeout}
	serving.Go(func() { _ = server.Serve(listener) }) // it ends by Close
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return nil
}

// tend tells the paywall what is owed, and how the kiosk is.
func (b *Bridge) tend(ctx context.Context) {
	reported, quiet := time.Now(), time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(settleEvery):
		}
		if time.Now().After(quiet) {
			left, err := b.settle(ctx)
			if err != nil && ctx.Err() == nil {
				b.log.Warn("the paywall cannot be told what is owed; it is tried again", "taps", left, "error", err)
				quiet = time.Now().Add(time.Second)
			}
			b.mu.Lock()
			b.backlog = left
			b.mu.Unlock()
		}
		if since := time.Since(reported); since > reportEvery || since > time.Second && b.mustReport() {
			reported = time.Now()
			b.report(ctx)
		}
	}
}

// settle tells the paywall of cards that have gone, and what is owed.
func (b *Bridge) settle(ctx context.Context) (left int, err error) {
	if b.browser != nil {
		err = b.browser.Tell(ctx)
	}
	left, owed := b.desk.Settle(ctx)
	if owed == nil {
		owed = b.offline.Tend(ctx)
	}
	return left, errors.Join(err, owed)
}

// mustReport reports whether there is something to tell or to ask before it is time.
func (b *Bridge) mustReport() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.product == nil || b.news
}

// report tells the paywall how the kiosk is, and learns the product's price.
func (b *Bridge) report(ctx context.Context) {
	b.mu.Lock()
	b.news = false
	state := wire.State{Version: b.version, Backlog: b.backlog, Denials: b.offline.Denials()}
	for name, fault := range b.readers {
		r := wire.Reader{Name: name}
		if fault != nil {
			r.Fault = fault.Error()
		}
		state.Readers = append(state.Readers, r)
	}
	b.mu.Unlock()
	slices.SortFunc(state.Readers, func(a, b wire.Reader) int { return cmp.Compare(a.Name, b.Name) })
	state.Readers = state.Readers[:min(len(state.Readers), mostReaders)]
	if oldest := b.desk.Oldest(); !oldest.IsZero() {
		state.Oldest = oldest.UnixMilli()
	}
	policy, err := b.client.State(ctx, state)
	if err != nil {
		b.soon()
		if ctx.Err() == nil {
			b.log.Error("the paywall does not answer this kiosk", "error", err)
		}
		return
	}
	more, err := b.offline.Learn(policy)
	if err != nil {
		b.log.Error("what the paywall says of cards cannot be kept", "error", err)
	}
	if more {
		b.soon()
	}
	b.sells(policy.Products)
}

// soon has a report made before it is time.
func (b *Bridge) soon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.news = true
}

// sells takes note of what the paywall sells: now, or when it last answered.
func (b *Bridge) sells(products []wire.Product) {
	i := slices.IndexFunc(products, func(p wire.Product) bool { return p.Name == b.config.Product })
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.product = nil; i < 0 {
		if len(products) > 0 {
			b.log.Error("the paywall does not sell this kiosk's product", "product", b.config.Product)
		}
		return
	}
	b.product = &products[i]
	b.screen.Sells(*b.product)
}

// mostReaders is how many the paywall is told of.
const mostReaders = 8

func (b *Bridge) known() *wire.Product {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.product
}

var errNoProduct = errors.New("what this kiosk sells is not known yet")

// Arrived implements [reader.Sink].
func (b *Bridge) Arrived(name string, shown wire.Card, exchange card.Exchange) {
	product := b.known()
	if product == nil {
		b.log.Error("a tap is refused", "reader", name, "error", errNoProduct)
		b.screen.Ended(tap.Result{Kind: tap.Offline})
		b.meters.ended(tap.Offline, "")
		return
	}
	b.screen.Checking()
	begun := time.Now()
	r := b.present(name, shown, exchange, *product, func(p tap.Presented) tap.Result {
		if b.config.Screen != "" && !b.config.DisplayOnly {
			p.PIN = b.screen.PIN
		}
		return b.desk.Tap(context.Background(), p, *product, false) // it is brought to its end
	})
	b.screen.Ended(r)
	if r.Kind == tap.Paid {
		b.mu.Lock()
		b.paidAt = name
		b.mu.Unlock()
	}
	b.meters.ended(r.Kind, r.Reason)
	b.log.Info("a tap", "reader", name, "card", fmt.Sprint(shown), "result", r.Kind, "reason", r.Reason, "took", time.Since(begun))
	if r.Reason == wire.PriceChanged {
		b.mu.Lock()
		b.product = &r.Product
		b.mu.Unlock()
	}
}

// Unread implements [reader.Sink].
func (b *Bridge) Unread(name string, why error) {
	switch {
	case errors.Is(why, emv.ErrForged):
		b.screen.Ended(tap.Result{Kind: tap.Refused, Reason: wire.Forged})
		b.meters.ended(tap.Refused, wire.Forged)
	case errors.Is(why, emv.ErrExpired):
		b.screen.Ended(tap.Result{Kind: tap.Refused})
		b.meters.ended(tap.Refused, "")
	default:
		b.screen.Unread()
		b.meters.ended(tap.Unread, "")
	}
	b.log.Warn("a card cannot be read", "reader", name, "error", why)
}

// Gone implements [reader.Sink].
func (b *Bridge) Gone(name string) {
	b.seat(name).guard.Leave(time.Now())
	b.mu.Lock()
	paid := b.paidAt == name
	b.mu.Unlock()
	if paid && b.browser != nil {
		b.browser.Gone()
	}
}

// Health implements [reader.Sink].
func (b *Bridge) Health(name string, fault error) {
	b.mu.Lock()
	before, known := b.readers[name]
	b.readers[name] = fault
	changed := !known || (before == nil) != (fault == nil)
	b.news = b.news || changed
	b.mu.Unlock()
	switch {
	case changed && fault != nil:
		b.log.Error("a reader does not read", "reader", name, "error", fault)
	case changed:
		b.log.Info("a reader is well", "reader", name)
	}
}
