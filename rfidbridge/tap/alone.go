package tap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/journal"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// alone has the kiosk decide by itself about a tap that the paywall has not answered. If that
// has granted it all the same, nobody captures what it has set aside: the record that is
// handed over later says that the tap is this one.
func (d *Desk) alone(ctx context.Context, p Presented, t wire.Tap, product wire.Product) (Result, error) {
	result := Result{Kind: Offline, Product: product}
	if d.Offline != nil {
		grant, reason, err := d.Offline.Grant(p, t, product)
		switch {
		case err != nil:
			return Result{}, err
		case grant != "":
			return d.open(ctx, journal.Entry{Tap: t.ID, Grant: grant, Offline: true}, Result{Kind: Paid, Product: product, Alone: true})
		case reason != "":
			result.Kind, result.Reason = Refused, reason
		}
	}
	d.doubt(t)
	return result, d.write(journal.Entry{Tap: t.ID, Step: journal.Done, Outcome: string(result.Kind)})
}

var errNoAuthority = errors.New("the journal has grants of the kiosk's own, and it has nobody to settle them")

// resume tells the authority which of its grants the journal has.
func (d *Desk) resume(pending []journal.Entry) error {
	var grants []string
	for _, e := range pending {
		if e.Offline {
			grants = append(grants, e.Grant)
		}
	}
	switch {
	case d.Offline != nil:
		return d.Offline.Resume(grants)
	case len(grants) > 0:
		return errNoAuthority
	}
	return nil
}

// settleAlone hands over what the kiosk has granted by itself, up to the first that is being
// carried out: each follows the one before.
func (d *Desk) settleAlone(ctx context.Context, pending []journal.Entry) (left int, err error) {
	var own []journal.Entry
	for _, e := range pending {
		if e.Offline && e.Step == journal.Granted {
			break
		}
		if e.Offline {
			own = append(own, e)
		}
	}
	for len(own) > 0 {
		batch := own[:min(len(own), wire.MaxRecords)]
		grants := make([]string, len(batch))
		for i, e := range batch {
			grants[i] = e.Grant
		}
		if err := d.Offline.Settle(ctx, grants); err != nil {
			return len(own), fmt.Errorf("handing over what was granted offline: %w", err)
		}
		for _, e := range batch {
			if err := d.write(journal.Entry{Tap: e.Tap, Step: journal.Done, Outcome: "handed over"}); err != nil {
				return len(own), err
			}
		}
		own = own[len(batch):]
	}
	return 0, nil
}

// Oldest is when the oldest tap was begun that is not settled; zero: there is none.
func (d *Desk) Oldest() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if pending := d.journal.Pending(); len(pending) > 0 {
		return pending[0].Tap.Time()
	}
	return time.Time{}
}
