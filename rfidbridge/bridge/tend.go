package bridge

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// How often the paywall is told what is owed, and how the kiosk is.
const (
	settleEvery = 200 * time.Millisecond
	reportEvery = 30 * time.Second
)

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
	b.sells(policy.Products, policy.Currency)
}

// soon has a report made before it is time.
func (b *Bridge) soon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.news = true
}

// sells takes note of what the paywall sells: now, or when it last answered.
func (b *Bridge) sells(products []wire.Product, currency string) {
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
	b.screen.Sells(*b.product, currency)
}

// mostReaders is how many the paywall is told of.
const mostReaders = 8

func (b *Bridge) known() *wire.Product {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.product
}
