package scale

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet/local"
)

// Options say how large a ledger is made, and where.
type Options struct {
	Dir     string        // in which a directory is made and removed again; default: the system's
	Wallets int           // default: 1 000 000
	Entries int           // of page views; default: 10 000 000
	Span    time.Duration // of the ledger's clock, over which they spread; default: 30 days
	Window  time.Duration // of each grant; default: 24 hours
	Burst   time.Duration // how long each speed is measured; default: 3 seconds
	Settle  time.Duration // until what has ended is forgotten, before memory is measured; default: 10 seconds
}

func (o Options) withDefaults() Options {
	defaults := Options{
		Wallets: 1_000_000, Entries: 10_000_000, Span: 30 * 24 * time.Hour, Window: 24 * time.Hour,
		Burst: 3 * time.Second, Settle: 10 * time.Second,
	}
	for _, n := range []struct{ given, otherwise *int }{{&o.Wallets, &defaults.Wallets}, {&o.Entries, &defaults.Entries}} {
		if *n.given <= 0 {
			*n.given = *n.otherwise
		}
	}
	for _, d := range []struct{ given, otherwise *time.Duration }{
		{&o.Span, &defaults.Span}, {&o.Window, &defaults.Window}, {&o.Burst, &defaults.Burst}, {&o.Settle, &defaults.Settle},
	} {
		if *d.given <= 0 {
			*d.given = *d.otherwise
		}
	}
	return o
}

// Result is what was measured.
type Result struct {
	Wallets, Entries int

	WalletBytes   int // of memory for a wallet that has money and nothing else
	EntryBytes    int // of journal for a page view
	SnapshotBytes int // of the whole snapshot
	HeapBytes     int // in use with everything there is

	StartClean   time.Duration // of Open after Close
	StartUnclean time.Duration // of Open on what a kill -9 leaves
	StartJournal time.Duration // of Open without a snapshot

	Speeds []Speed // with 1, 64 and 256 callers that charge one time after the other

	// Charges of a web server, on the large ledger.
	Quiet    Latency // while nothing else happens
	Snapshot Latency // while a snapshot is made
	Verify   Latency // while the books are verified

	SnapshotTook, VerifyTook time.Duration
}

// Speed is how many durable charges a second so many callers get.
type Speed struct {
	Callers   int
	PerSecond int
	Latency
}

// Latency is how long charges took.
type Latency struct {
	Charges       int
	P50, P99, Max time.Duration
}

// Run makes a ledger and measures it. It needs some 130 bytes of disk for each
// entry and, with the default Options, two to four minutes and a gigabyte of
// memory. Only one Run at a time measures anything.
func Run(ctx context.Context, o Options) (result Result, err error) {
	o = o.withDefaults()
	dir, err := os.MkdirTemp(o.Dir, "ledger-scale-")
	if err != nil {
		return Result{}, fmt.Errorf("scale: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := newSite(o, dir)
	for _, step := range []func(context.Context, *Result) error{
		s.open, s.fill, s.sell, s.restart, s.race, s.wait, s.waitForSnapshot, s.waitForVerify, s.startFromJournal,
	} {
		if err := errors.Join(ctx.Err(), step(ctx, &result)); err != nil {
			return Result{}, errors.Join(fmt.Errorf("scale: %w", err), s.close())
		}
	}
	return result, s.close()
}

// site is a ledger that grows.
type site struct {
	Options
	dir    string
	now    *clock
	ledger *local.Ledger
	ids    [][16]byte // of its wallets
	sold   int        // page views so far: no two are of the same page and wallet
	begin  time.Time
}

func newSite(o Options, dir string) *site {
	return &site{Options: o, dir: dir, now: newClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
}

// open opens the ledger, whatever was there.
func (s *site) open(context.Context, *Result) (err error) {
	s.ledger, err = local.Open(local.Options{Dir: s.dir, Clock: s.now.Now})
	return err
}

func (s *site) close() error {
	if s.ledger == nil {
		return nil
	}
	err := s.ledger.Close()
	s.ledger = nil
	return err
}
