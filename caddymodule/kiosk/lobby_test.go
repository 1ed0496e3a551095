package kiosk

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/card/virtual"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/offline"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/ledgertest"
)

// lobby is a kiosk as it is built, from the card to the journal, before a cashier: with a
// network that loses questions and answers, and power that may be lost at any step.
type lobby struct {
	*machine
	dir string

	down   bool
	lose   func() lost // what the network does to a request
	opens  actuator.Outcome
	opened []wallet.OpID // what the machine has handed out
	lied   time.Duration // what its own clock says beside the time

	captures bool            // what nobody knows of
	expired  map[string]bool // grants of the paywall's that it could not be told of in time

	alone int // taps that it has granted by itself

	steps, crashAt int
	desk           *tap.Desk
	authority      *offline.Authority
	journal        *journal.Journal
}

// lost is what becomes of a request.
type lost int

const (
	nothing lost = iota
	question
	answer
)

// powerless is the panic of a kiosk that loses power.
type powerless struct{}

func newLobby(m *machine) *lobby {
	l := &lobby{machine: m, dir: m.TempDir(), opens: actuator.Done, expired: make(map[string]bool), lose: func() lost { return nothing }}
	l.start()
	return l
}

// step is an instant at which power may be lost.
func (l *lobby) step() {
	if l.steps++; l.steps == l.crashAt {
		panic(powerless{})
	}
}

// now is the kiosk's own clock. It is asked before everything that is written down.
func (l *lobby) now() time.Time {
	l.step()
	return l.clock.Now().Add(l.lied)
}

// start is the kiosk's, also after a crash.
func (l *lobby) start() {
	l.Helper()
	if l.journal != nil {
		_ = l.journal.Close()
	}
	var err error
	if l.journal, err = journal.Open(filepath.Join(l.dir, "journal")); err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = l.journal.Close() })
	begun := l.clock.Now()
	log := slog.New(slog.DiscardHandler)
	l.authority, err = offline.New(offline.Options{
		Path: filepath.Join(l.dir, "offline"), Key: l.private, Paywall: l,
		Now: l.now, Since: func() time.Duration { return l.clock.Now().Sub(begun) }, Random: rand.Reader, Log: log,
	})
	if err != nil {
		l.Fatal(err)
	}
	l.desk = &tap.Desk{
		Kiosk: l.name, Paywall: l, Actuator: actuator.Func(l.open), Patience: time.Millisecond, Opening: time.Second,
		CaptureUnknown: l.captures, Offline: l.authority, OfflinePatience: time.Millisecond, Now: l.now, Random: rand.Reader, Log: log,
	}
	if err := l.desk.Start(l.journal); err != nil {
		l.Fatal(err)
	}
}

func (l *lobby) open(_ context.Context, o actuator.Opening) (actuator.Outcome, error) {
	l.step()
	if l.opens == actuator.Done {
		l.opened = append(l.opened, o.Tap)
	}
	l.step()
	if l.opens != actuator.Done {
		return l.opens, errors.New("jammed")
	}
	return l.opens, nil
}

var errNetwork = fmt.Errorf("%w: cut off", client.ErrUncertain)

// over is a request over the network.
func over[T any](l *lobby, path string, body any, do func(Kiosk) (T, error)) (answered T, err error) {
	l.step()
	var none T
	fate := l.lose()
	if l.down || fate == question {
		return none, errNetwork
	}
	r, token := l.request(path, body)
	k, err := l.Authenticate(context.Background(), token, r)
	if err == nil {
		answered, err = do(k)
	}
	l.step()
	switch {
	case fate == answer:
		return none, errNetwork
	case errors.Is(err, ErrCode), errors.Is(err, ErrRecord), errors.Is(err, ErrInvalid):
		return none, client.RefusalError{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	case err != nil:
		return none, fmt.Errorf("%w: %w", client.ErrUncertain, err)
	}
	return answered, nil
}

func (l *lobby) Tap(ctx context.Context, t wire.Tap) (wire.Verdict, error) {
	return over(l, wire.TapPath, t, func(k Kiosk) (wire.Verdict, error) { return l.Cashier.Tap(context.WithoutCancel(ctx), k, t) })
}

func (l *lobby) Capture(ctx context.Context, grant string) (wire.Resolved, error) {
	r := wire.Resolve{Grant: grant}
	return over(l, wire.CapturePath, r, func(k Kiosk) (wire.Resolved, error) {
		done, err := l.Cashier.Capture(ctx, k, r)
		if err == nil && done.Outcome == Expired {
			l.expired[grant] = true
		}
		return done, err
	})
}

func (l *lobby) Release(ctx context.Context, grant string) (wire.Resolved, error) {
	r := wire.Resolve{Grant: grant}
	return over(l, wire.ReleasePath, r, func(k Kiosk) (wire.Resolved, error) { return l.Cashier.Release(ctx, k, r) })
}

func (l *lobby) Sync(ctx context.Context, s wire.Sync) (wire.Synced, error) {
	return over(l, wire.SyncPath, s, func(k Kiosk) (wire.Synced, error) { return l.Cashier.Sync(ctx, k, s) })
}

func (l *lobby) Lease(ctx context.Context, r wire.LeaseRequest) (wire.Lease, error) {
	return over(l, wire.LeasePath, r, func(k Kiosk) (wire.Lease, error) { return l.Cashier.Lease(ctx, k, r) })
}

// tends does what a kiosk does between taps: it settles, asks for leases, and reports.
func (l *lobby) tends() {
	l.Helper()
	ctx := context.Background()
	if _, err := l.desk.Settle(ctx); err == nil {
		err = l.authority.Tend(ctx)
		if err != nil && !errors.Is(err, client.ErrUncertain) {
			l.Error(err)
		}
	}
	state := wire.State{Denials: l.authority.Denials()}
	policy, err := over(l, wire.StatePath, state, func(k Kiosk) (wire.Policy, error) { return l.Report(ctx, k, state) })
	if err != nil {
		return
	}
	if _, err := l.authority.Learn(policy); err != nil {
		l.Error(err)
	}
}

// lays a card on the reader, which may carry commands to it.
func (l *lobby) lays(shown wire.Card, n *virtual.NTAG) tap.Result {
	l.Helper()
	if n == nil {
		return l.carries(shown, nil)
	}
	return l.carries(shown, func(command []byte) ([]byte, error) { return n.Transmit(command), nil })
}

func (l *lobby) carries(shown wire.Card, exchange card.Exchange) tap.Result {
	l.Helper()
	p := tap.Presented{Card: shown, Exchange: exchange}
	p.ID, _ = l.authority.Identify(shown, exchange)
	product, _, _ := l.product("coffee")
	return l.desk.Tap(context.Background(), p, product, true)
}

func (l *lobby) layNTAG(n *virtual.NTAG) tap.Result { return l.lays(message(n), n) }

// wantsEnd checks how a tap has ended.
func (l *lobby) wantsEnd(r tap.Result, kind tap.Kind, alone bool) {
	l.Helper()
	if r.Kind != kind || r.Alone != alone {
		l.Fatalf("the tap ends %+v, want %s, alone %v", r, kind, alone)
	}
}

// until runs a part of the kiosk's life, and reports whether it has lost power.
func (l *lobby) until(life func()) (crashed bool) {
	defer func() {
		switch cause := recover(); cause.(type) {
		case nil:
		case powerless:
			crashed = true
		default:
			panic(cause)
		}
	}()
	life()
	return false
}

func (m *machine) private() ed25519.PrivateKey     { return m.key }
func (m *machine) authorityKey() ed25519.PublicKey { return m.key.Public().(ed25519.PublicKey) }

// spends has the holder pay for something else, if there is the money.
func (h *holder) spends(amount wallet.Amount) wallet.Amount {
	h.Helper()
	r, err := h.Ledger.Transfer(context.Background(), wallet.Transfer{
		ID: ledgertest.NewID(h, h.clock.Now), From: wallet.WalletAccount(h.id), To: wallet.Site, Generation: h.wallet().Generation, Amount: amount,
	})
	switch {
	case err != nil:
		h.Fatal(err)
	case r.Outcome.Done():
		return amount
	}
	return 0
}

// tops puts money in, and what is owed is paid from it.
func (h *holder) tops(amount wallet.Amount) {
	h.Helper()
	ledgertest.Fund(h, h.Ledger, h.clock.Now, h.id, amount)
	if _, err := h.PayDebts(context.Background(), h.id, h.wallet().Generation); err != nil {
		h.Fatal(err)
	}
}
