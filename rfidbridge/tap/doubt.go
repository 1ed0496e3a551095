package tap

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/client"
	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// mostDoubts is how many taps are remembered that were given up without a verdict.
const mostDoubts = 16

// doubt remembers a tap that was given up: the paywall may have set money aside for it, and
// takes the next one of the card for impatience. What a crash forgets goes back by itself.
func (d *Desk) doubt(t wire.Tap) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.doubts = append(d.doubts, t)
	d.doubts = d.doubts[max(0, len(d.doubts)-mostDoubts):]
}

// settleDoubts asks for the verdicts that were not waited for, by the same taps, and gives back what
// was set aside for them.
func (d *Desk) settleDoubts(ctx context.Context) error {
	for {
		d.mu.Lock()
		doubts := d.doubts
		d.mu.Unlock()
		if len(doubts) == 0 {
			return nil
		}
		if err := d.giveBack(ctx, doubts[0]); errors.Is(err, client.ErrUncertain) {
			return err
		} else if err != nil {
			d.Log.Warn("a tap that was given up cannot be taken back; what was set aside goes back by itself", "tap", doubts[0].ID, "error", err)
		}
		d.mu.Lock()
		if len(d.doubts) > 0 && d.doubts[0].ID == doubts[0].ID {
			d.doubts = d.doubts[1:]
		}
		d.mu.Unlock()
	}
}

func (d *Desk) giveBack(ctx context.Context, t wire.Tap) error {
	v, err := d.Paywall.Tap(ctx, t)
	if err != nil || v.Outcome != wire.Granted {
		return err
	}
	if _, err = d.Paywall.Release(ctx, v.Grant); err != nil {
		err = fmt.Errorf("giving back: %w", err)
	}
	return err
}
