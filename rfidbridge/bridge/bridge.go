package bridge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/offline"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/screen"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
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
			if err := b.meters.watch(driver).Run(ctx, r.sink(b, time.Duration(b.config.Settle))); err != nil && ctx.Err() == nil {
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
