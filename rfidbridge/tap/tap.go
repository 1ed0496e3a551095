// Package tap carries a kiosk's taps out: it asks the paywall, opens, and settles.
//
// It promises that nothing is opened before the paywall's grant is written down, that what
// was opened is captured and what was not is released, once, whenever the kiosk crashes or
// the network is cut; and that a tap is the same tap however often it has to be sent. What
// it cannot know after a crash, whether an actuator that was at work has opened, the operator
// has decided beforehand.
//
// It does not know readers and cards' cryptography: what a card has shown is handed on.
package tap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/actuator"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/words"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Paywall is what judges and takes the money; see package client.
type Paywall interface {
	Tap(ctx context.Context, t wire.Tap) (wire.Verdict, error)
	Capture(ctx context.Context, grant string) (wire.Resolved, error)
	Release(ctx context.Context, grant string) (wire.Resolved, error)
}

// Desk carries out the taps of one kiosk, one at a time. Its methods are safe for concurrent
// use; its fields do not change meanwhile.
type Desk struct {
	Kiosk    string
	Paywall  Paywall
	Actuator actuator.Actuator

	Patience time.Duration // how long a verdict is waited for, asked for again and again
	Opening  time.Duration // how long the actuator may take

	// CaptureUnknown takes the money where nobody knows whether the actuator has opened:
	// for a machine that opens rather than not. Else it goes back.
	CaptureUnknown bool

	// Offline decides where the paywall does not answer; nil: nobody does. Where it may have
	// something to decide, a verdict is waited for so long only.
	Offline         Authority
	OfflinePatience time.Duration

	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger

	// Took is told how long a part of a tap has taken: journal, verdict, card, pin or open. Nil:
	// nobody is.
	Took func(part string, took time.Duration)

	taps sync.Mutex // held by the tap that is carried out

	mu      sync.Mutex // for the journal
	journal *journal.Journal
	doubts  []wire.Tap // that were given up without a verdict, the oldest first
}

// Kind is how a tap has ended for who has tapped.
type Kind = words.Kind

// The kinds.
const (
	Paid       = words.Paid
	Refused    = words.Refused
	Unclaimed  = words.Unclaimed
	NotOpened  = words.NotOpened
	Unread     = words.Unread
	Cancelled  = words.Cancelled
	Offline    = words.Offline
	OutOfOrder = words.OutOfOrder
)

// Result is what the screen shows.
type Result struct {
	Kind    Kind
	Reason  wire.Reason
	Product wire.Product
	Claim   string
	Balance string // in the wallet after a paid tap, where the operator has it shown
	Alone   bool   // the kiosk has granted it by itself: the paywall hears of it later
}

// Start takes up a journal: what a crash has left is brought to its end. Settle then tells
// the paywall.
func (d *Desk) Start(j *journal.Journal) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.journal = j
	pending := j.Pending()
	if err := d.resume(pending); err != nil {
		return err
	}
	for _, e := range pending {
		next := journal.Entry{Tap: e.Tap, Time: d.Now().UnixMilli()}
		switch e.Step {
		case journal.Intent: // what the paywall may have set aside goes back by itself
			next.Step, next.Outcome = journal.Done, "interrupted"
		case journal.Granted:
			var err error
			if next.Step, next.Grant, err = d.ended(e, d.CaptureUnknown); err != nil {
				return err
			}
		default:
			continue
		}
		if err := j.Append(next); err != nil {
			return err
		}
		d.Log.Warn("a tap was interrupted", "tap", e.Tap, "after", e.Step, "now", next.Step)
	}
	return nil
}

func (d *Desk) write(e journal.Entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.measure("journal")()
	e.Time = d.Now().UnixMilli()
	return d.journal.Append(e)
}

// measure begins to measure a part of a tap, which ends when its result is called.
func (d *Desk) measure(part string) func() {
	if d.Took == nil {
		return func() {}
	}
	begun := time.Now()
	return func() { d.Took(part, time.Since(begun)) }
}

// Owed is how many taps the paywall has not heard the end of, and how old the oldest is.
func (d *Desk) Owed() (count int, age time.Duration) {
	d.mu.Lock()
	pending := d.journal.Pending()
	d.mu.Unlock()
	for _, e := range pending {
		age = max(age, d.Now().Sub(time.UnixMilli(e.Time)))
	}
	return len(pending), age
}

// Tap carries a tap out, up to the opening. again says that a second purchase is meant.
func (d *Desk) Tap(ctx context.Context, p Presented, product wire.Product, again bool) Result {
	d.taps.Lock()
	defer d.taps.Unlock()
	result, err := d.tap(ctx, p, product, again)
	if err != nil {
		d.Log.Error("the kiosk is out of order", "error", err)
		return Result{Kind: OutOfOrder, Product: product}
	}
	return result
}

func (d *Desk) tap(ctx context.Context, p Presented, product wire.Product, again bool) (Result, error) {
	id, err := wallet.NewOpID(d.Now(), d.Random)
	if err != nil {
		return Result{}, err
	}
	if err := d.write(journal.Entry{Tap: id, Step: journal.Intent, Product: product.Name}); err != nil {
		return Result{}, err
	}
	t := wire.Tap{ID: id, Product: product.Name, Card: p.Card, Price: product.Price, Again: again}
	v, err := d.verdict(ctx, p, &t)
	result := Result{Kind: Refused, Reason: v.Reason, Product: v.Product}
	switch {
	case errors.Is(err, client.ErrUncertain) && v.Ask != nil && v.Ask.PIN: // whoever cuts the network must not do without one
		d.doubt(t)
		result = Result{Kind: Offline, Product: product}
	case errors.Is(err, client.ErrUncertain):
		return d.alone(ctx, p, t, product)
	case errors.Is(err, errTorn):
		result = Result{Kind: Unread, Product: product}
	case errors.Is(err, ErrCancelled):
		result = Result{Kind: Cancelled, Product: product}
	case err != nil:
		d.Log.Error("the paywall does not take this kiosk's taps", "error", err)
		result = Result{Kind: OutOfOrder, Product: product}
	case v.Outcome == wire.Granted:
		if d.Offline != nil {
			d.Offline.Granted(p, v)
		}
		return d.open(ctx, journal.Entry{Tap: id, Grant: v.Grant}, Result{Kind: Paid, Product: v.Product, Balance: v.Balance})
	case v.Outcome == wire.Unknown:
		result.Kind, result.Claim = Unclaimed, v.Claim
	}
	return result, d.write(journal.Entry{Tap: id, Step: journal.Done, Outcome: string(result.Kind)})
}

// verdict asks for one, and does what the paywall wants for it. With an error it is what was
// wanted last.
func (d *Desk) verdict(ctx context.Context, p Presented, t *wire.Tap) (v wire.Verdict, err error) {
	t.Exchange, t.PINPad = p.Exchange != nil, p.PIN != nil
	for range mostAsked {
		next, err := d.ask(ctx, *t)
		if err != nil {
			return v, err
		}
		if v = next; v.Outcome != wire.Asked {
			return v, nil
		}
		part := "card"
		if v.Ask != nil && v.Ask.PIN {
			part = "pin"
		}
		ended := d.measure(part)
		t.Answer, err = p.answer(ctx, v.Ask)
		if ended(); err != nil {
			return v, err
		}
	}
	return v, errEndless
}

// ask sends a tap until it is answered or patience is over.
func (d *Desk) ask(ctx context.Context, t wire.Tap) (v wire.Verdict, err error) {
	patience := d.Patience
	if d.Offline != nil && d.Offline.Decides() {
		patience = d.OfflinePatience
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		ended := d.measure("verdict")
		v, err = d.Paywall.Tap(ctx, t)
		if ended(); !errors.Is(err, client.ErrUncertain) {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, err
		case <-time.After(pause):
		}
	}
}

// open hands the product out, and notes whether it has been. paid is the result if it has.
func (d *Desk) open(ctx context.Context, granted journal.Entry, paid Result) (Result, error) {
	granted.Step = journal.Granted
	if err := d.write(granted); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.Opening)
	defer cancel()
	measured := d.measure("open")
	opening := actuator.Opening{Tap: granted.Tap, Kiosk: d.Kiosk, Product: paid.Product.Name}
	if !granted.Offline { // what the kiosk has granted by itself, the paywall does not know
		opening.Grant = granted.Grant
	}
	outcome, why := d.Actuator.Open(ctx, opening)
	measured()
	opened := outcome == actuator.Done || outcome == actuator.Unknown && d.CaptureUnknown
	step, grant, err := d.ended(granted, opened)
	if err != nil {
		return Result{}, err
	}
	switch {
	case outcome != actuator.Done:
		d.Log.Error("a paid product was not handed out", "tap", granted.Tap, "outcome", outcome.String(), "then", step, "error", why)
	case why != nil:
		d.Log.Error("a product was handed out, but something is wrong", "tap", granted.Tap, "error", why)
	}
	if !opened {
		paid = Result{Kind: NotOpened, Product: paid.Product}
	}
	return paid, d.write(journal.Entry{Tap: granted.Tap, Step: step, Grant: grant})
}

// ended is the step after Granted, and what it is settled by from then on.
func (d *Desk) ended(granted journal.Entry, opened bool) (step journal.Step, grant string, err error) {
	switch {
	case opened:
		return journal.Opened, "", nil
	case granted.Offline:
		grant, err = d.Offline.Reverse(granted.Grant)
	}
	return journal.Failed, grant, err
}

// Settle tells the paywall of everything that was opened or was not, the oldest first, until
// it does not answer. It reports how much is left.
func (d *Desk) Settle(ctx context.Context) (left int, err error) {
	d.mu.Lock()
	pending := d.journal.Pending()
	d.mu.Unlock()
	for i, e := range pending {
		if e.Offline {
			continue
		}
		how := d.Paywall.Release
		switch e.Step {
		case journal.Opened:
			how = d.Paywall.Capture
		case journal.Failed:
		default:
			continue // it is being carried out
		}
		r, err := how(ctx, e.Grant)
		var refused client.RefusalError
		switch {
		case errors.As(err, &refused) && refused.Status != http.StatusUnauthorized && refused.Status != http.StatusForbidden:
			d.Log.Error("the paywall does not take a grant back", "tap", e.Tap, "error", err)
			r.Outcome = "refused"
		case err != nil:
			return len(pending) - i, fmt.Errorf("settling: %w", err)
		case r.Outcome == "expired" && e.Step == journal.Opened:
			d.Log.Error("a product was handed out, and its money had gone back: the paywall could not be told in time", "tap", e.Tap)
		}
		if err := d.write(journal.Entry{Tap: e.Tap, Step: journal.Done, Outcome: r.Outcome}); err != nil {
			return len(pending) - i, err
		}
	}
	if left, err = d.settleAlone(ctx, pending); err == nil {
		err = d.settleDoubts(ctx)
	}
	return left, err
}
