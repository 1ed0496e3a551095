package offline

import (
	"context"
	"errors"
	"net/http"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/tap"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Paywall settles what was granted; see package client.
type Paywall interface {
	Sync(ctx context.Context, s wire.Sync) (wire.Synced, error)
	Lease(ctx context.Context, r wire.LeaseRequest) (wire.Lease, error)
}

// Settle implements [tap.Authority]. What the paywall has settled is noted before anybody
// forgets the records.
func (a *Authority) Settle(ctx context.Context, grants []string) error {
	var s wire.Sync
	records := make([]grant, 0, len(grants))
	for _, text := range grants {
		g, err := readGrant(text)
		if err != nil {
			return err
		}
		if !a.signed(g) {
			a.Log.Error("what was granted offline is of another key of this kiosk's, and cannot be paid", "tap", g.Tap, "price", g.Price)
			continue
		}
		records, s.Records = append(records, g), append(s.Records, g.signed)
	}
	if len(records) == 0 {
		return nil
	}
	answer, err := a.Paywall.Sync(ctx, s)
	a.mu.Lock()
	defer a.mu.Unlock()
	var refused client.RefusalError
	if errors.As(err, &refused) && refused.Status == http.StatusUnprocessableEntity {
		a.broken = err // the operator has to look; nothing is granted until then
	}
	if err != nil {
		return err
	}
	a.broken = nil
	last := records[len(records)-1]
	if answer.Head.Seq < last.Seq || len(answer.Outcomes) != len(records) {
		return client.ErrUncertain
	}
	for i, g := range records {
		if g.Seq > a.state.Head.Seq {
			a.settled(g, answer.Outcomes[i])
			a.state.Head = g.signed.Head(g.Record)
		}
	}
	for len(a.unsent) > 0 && a.unsent[0].Seq <= last.Seq {
		a.unsent = a.unsent[1:]
	}
	return a.save()
}

// settled takes note of what became of a record, with a.mu held: a lease that was settled is
// over, and what was granted without one counts until the card pays online again.
func (a *Authority) settled(g grant, outcome wire.Outcome) {
	if outcome != wire.Settled && outcome != wire.Reversed {
		a.Log.Error("what was granted offline is not paid", "tap", g.Tap, "outcome", outcome)
	}
	one := a.byHandle(g.Handle)
	if one == nil {
		return
	}
	one.Denied = one.Denied || outcome == wire.Owed
	switch {
	case g.Lease == (wallet.OpID{}) && !g.reversed:
		one.Sum += g.price
		one.Taps++
	case g.Lease == one.Lease:
		one.Lease, one.Left, one.Until = wallet.OpID{}, 0, 0
	}
}

func (a *Authority) byHandle(handle string) *known {
	for _, one := range a.state.Cards {
		if one.Handle == handle {
			return one
		}
	}
	return nil
}

var _ tap.Authority = (*Authority)(nil)
