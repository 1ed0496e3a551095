// Package simulate shows a virtual card and a virtual kiosk on one page, so that a paywall's
// kiosks can be tried without hardware. Behind the page is what a real kiosk has: its
// identity, journal and settlement; the card is one that shows its number alone, and its
// holder has a wallet of their own.
//
// It is for one person at one machine: whoever can open the page has the card.
package simulate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Options say what to simulate. All are required, but for Code where State has a kiosk.
type Options struct {
	Site   string // the paywall's address
	Code   string // for enrolment
	Listen string // host and port of the page, on the loopback interface
	State  string // directory of the kiosk and the card
}

// gateOpen is how long the gate stands open after a tap.
const gateOpen = 5 * time.Second

// simulation is what the page shows and does.
type simulation struct {
	kiosk  *client.Identity
	client *client.Client
	desk   *tap.Desk
	holder *holder

	mu      sync.Mutex
	policy  wire.Policy
	last    *tap.Result
	opened  time.Time // the gate, for the last time
	product string
}

// Run enrols the kiosk where it is none yet, and serves the page until ctx ends. It calls
// ready with the page's address.
func Run(ctx context.Context, o Options, ready func(address string)) error {
	s, err := begin(ctx, o)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return err
	}
	if host, _, err := net.SplitHostPort(listener.Addr().String()); err != nil || !net.ParseIP(host).IsLoopback() {
		return errors.Join(listener.Close(), fmt.Errorf("the simulation is for this machine alone: %s is no address of the loopback interface", o.Listen))
	}
	server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go s.keepSettling(ctx)
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	ready("http://" + listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	_, err = s.desk.Settle(context.WithoutCancel(ctx))
	return err
}

// begin makes the kiosk and the card ready.
func begin(ctx context.Context, o Options) (s *simulation, err error) {
	s = new(simulation)
	identity := filepath.Join(o.State, "identity.json")
	if o.Code != "" {
		s.kiosk, err = client.Enrol(ctx, o.Site, o.Code, identity, nil)
	} else {
		s.kiosk, err = client.Load(identity)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("this needs a code, once: caddy paywall kiosk enrol demo")
	}
	if err != nil {
		return nil, err
	}
	if s.client, err = client.New(s.kiosk, nil); err != nil {
		return nil, err
	}
	if s.holder, err = newHolder(ctx, o); err != nil {
		return nil, err
	}
	j, err := journal.Open(filepath.Join(o.State, "journal"))
	if err != nil {
		return nil, err
	}
	s.desk = &tap.Desk{
		Kiosk: s.kiosk.Kiosk, Paywall: s.client, Actuator: actuator.Func(s.openGate), Patience: 3 * time.Second, Opening: time.Second,
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if err := s.desk.Start(j); err != nil {
		return nil, err
	}
	return s, s.report(ctx)
}

// openGate is the actuator: the gate on the page.
func (s *simulation) openGate(_ context.Context, o actuator.Opening) (actuator.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened, s.product = time.Now(), o.Product
	return actuator.Done, nil
}

// report tells the paywall how the kiosk is, and takes its prices.
func (s *simulation) report(ctx context.Context) error {
	policy, err := s.client.State(ctx, wire.State{Version: "simulation", Readers: []wire.Reader{{Name: "virtual reader"}}})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policy = policy
	return nil
}

// keepSettling tells the paywall what was handed out, and how the kiosk is.
func (s *simulation) keepSettling(ctx context.Context) {
	const often, seldom = 200 * time.Millisecond, 30 * time.Second
	for reported := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(often):
		}
		if _, err := s.desk.Settle(ctx); err != nil && ctx.Err() == nil {
			s.desk.Log.Warn("the paywall cannot be told now; it is tried again", "error", err)
		}
		if time.Since(reported) > seldom {
			reported = time.Now()
			if err := s.report(ctx); err != nil && ctx.Err() == nil {
				s.desk.Log.Warn("the prices cannot be asked for now", "error", err)
			}
		}
	}
}

// tapCard taps the virtual card for a product, and enters a PIN if one is asked for.
func (s *simulation) tapCard(ctx context.Context, name string, digits wire.PIN) bool {
	s.mu.Lock()
	var product *wire.Product
	for i := range s.policy.Products {
		if s.policy.Products[i].Name == name {
			product = &s.policy.Products[i]
		}
	}
	s.mu.Unlock()
	if product == nil {
		return false
	}
	shown := tap.Presented{Card: wire.Card{UID: s.holder.card}}
	if digits != "" {
		shown.PIN = func(_ context.Context, wrong bool) (wire.PIN, error) {
			if wrong {
				return "", tap.ErrCancelled
			}
			return digits, nil
		}
	}
	result := s.desk.Tap(ctx, shown, *product, false)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = &result
	return true
}
