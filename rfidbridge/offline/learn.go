package offline

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// saveEvery is how often what may be lost is written down: that cards were here, and that
// time goes by.
const saveEvery = 5 * time.Minute

// mostAsking is for how many cards leases are waited for.
const mostAsking = 64

// Denials is up to which the kiosk has heard which cards are denied, for a State.
func (a *Authority) Denials() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state.Denials
}

// Learn takes a paywall's policy in. more says that it has more to tell at once.
func (a *Authority) Learn(p wire.Policy) (more bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.Time > 0 {
		a.clock.tell(time.UnixMilli(p.Time))
		a.state.Contact = p.Time
	}
	matters := !slices.Equal(a.state.Products, p.Products) || (p.Offline == nil) != (a.state.Terms == nil)
	a.state.Products, a.state.Currency, a.state.Terms = p.Products, p.Currency, p.Offline
	if o := p.Offline; o != nil {
		d := o.Denials
		for _, one := range a.state.Cards {
			if !one.Denied && (d.All || slices.Contains(d.Cards, one.Handle)) {
				one.Denied, matters = true, true
			}
		}
		if a.state.Denials = d.Number; !d.More {
			a.state.News = p.Time
		}
		if len(a.unsent) == 0 && !a.state.Head.Is(o.Head) { // the file was lost
			a.state.Head, matters = o.Head, true
		}
		more = d.More
		terms := *o
		terms.Denials = wire.Denials{}
		a.state.Terms = &terms
	}
	if matters || p.Time-a.state.Noted > saveEvery.Milliseconds() {
		err = a.save()
	}
	return more, err
}

// Granted implements [tap.Authority]: a card that may pay offline is remembered, with a lease
// if there is none that will do.
func (a *Authority) Granted(p tap.Presented, v wire.Verdict) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.ID == (tap.ID{}) {
		return
	}
	one, there := a.state.Cards[p.ID]
	if there && v.Lapsed == one.Lease && v.Lapsed != (wallet.OpID{}) {
		one.Lease, one.Left, one.Until, a.dirty = wallet.OpID{}, 0, 0, true
	}
	if v.Ticket == "" {
		if there && !one.Denied { // its holder does not allow it any more
			one.Denied, a.dirty = true, true
		}
		return
	}
	now, _ := a.clock.now()
	if there && !one.Denied && one.fresh(now) {
		one.Seen, a.dirty = now.UnixMilli(), true
		return
	}
	if len(a.asking) < mostAsking {
		a.asking[p.ID] = v.Ticket
	}
}

// leaseAgain is how long after a card has got no lease one is asked for again.
const leaseAgain = time.Hour

// fresh reports whether a card needs neither a lease nor its bounds anew.
func (one *known) fresh(now time.Time) bool {
	switch {
	case one.Sum > 0 || one.Taps > 0:
		return false
	case one.Lent == 0:
		return now.UnixMilli() < one.Asked+leaseAgain.Milliseconds()
	}
	return one.Lease != (wallet.OpID{}) && now.UnixMilli() < one.Asked+(one.Until-one.Asked)/2 && 2*one.Left >= one.Lent
}

// Tend asks for the leases that are wanted. It is for when the paywall has all records: a
// lease ends what was before it.
func (a *Authority) Tend(ctx context.Context) error {
	for {
		id, t, wanted := a.wanted()
		if !wanted {
			break
		}
		l, err := a.Paywall.Lease(ctx, wire.LeaseRequest{Ticket: t})
		var refused client.RefusalError
		switch {
		case errors.As(err, &refused): // it may not pay offline after all, or the ticket is too old
			a.Log.Info("a card gets no lease", "error", err)
		case err != nil:
			return err
		default:
			err = a.lent(id, l)
		}
		a.mu.Lock()
		if a.asking[id] == t {
			delete(a.asking, id)
		}
		a.mu.Unlock()
		if err != nil && !errors.As(err, &refused) {
			return err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if now, _ := a.clock.now(); a.dirty && now.UnixMilli()-a.state.Noted > saveEvery.Milliseconds() {
		return a.save()
	}
	return nil
}

func (a *Authority) wanted() (tap.ID, string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.unsent) > 0 {
		return tap.ID{}, "", false
	}
	for id, t := range a.asking {
		return id, t, true
	}
	return tap.ID{}, "", false
}

// lent remembers a card and its lease.
func (a *Authority) lent(id tap.ID, l wire.Lease) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, _ := a.clock.now()
	one := known{Handle: l.Handle, Mutual: l.Proof != "uid", Kind: l.Kind, Lease: l.ID, Until: l.Until, Risk: l.Risk, Taps: l.Taps, Seen: now.UnixMilli(), Asked: now.UnixMilli()}
	var err error
	for to, text := range map[*wallet.Amount]string{&one.Tap: l.Tap, &one.Sum: l.Sum, &one.Left: l.Amount} {
		if *to, err = readAmount(text); err != nil {
			return errLease
		}
	}
	if !wire.IsHandle(l.Handle) {
		return errLease
	}
	one.Lent = one.Left
	if one.Mutual {
		if one.Key, err = wire.OpenCardKey(a.Key(), l.Handle, l.Key); err != nil {
			return errors.Join(errLease, err)
		}
	}
	a.state.remember(id, one)
	return a.save()
}

var errLease = errors.New("the paywall's lease does not read")
