package redis

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// saleKey is a row of the report.
type saleKey struct {
	day            int64 // days since 1970
	rule, resource string
}

// Report implements [wallet.Auditor]. It reads the whole journal of every shard, as
// [Ledger.Verify] does.
func (l *Ledger) Report(ctx context.Context, from, to time.Time) ([]wallet.Revenue, error) {
	rows := make(map[saleKey]wallet.Revenue)
	first, last := millis(from), millis(to)
	for _, s := range l.shards {
		newest, err := s.newest(ctx)
		if err != nil {
			return nil, err
		}
		if err := s.journal(ctx, 1, newest, func(e entry) error {
			all, err := records(e.sequence, e.text)
			for i := range all {
				if r := &all[i]; r.time >= first && r.time < last {
					err = cmp.Or(err, r.addTo(rows))
				}
			}
			return err
		}); err != nil {
			return nil, err
		}
	}
	var report []wallet.Revenue
	for key, row := range rows {
		row.Day = time.UnixMilli(key.day * dayMillis).UTC().Format(time.DateOnly)
		row.Rule, row.Resource = key.rule, key.resource
		report = append(report, row)
	}
	slices.SortFunc(report, func(a, b wallet.Revenue) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Resource, b.Resource))
	})
	return report, nil
}

// addTo adds to the record's row what the site earned by it, if it did.
func (r *record) addTo(rows map[saleKey]wallet.Revenue) error {
	var earned wallet.Revenue
	switch r.kind {
	case wallet.KindCharge, wallet.KindBuy, wallet.KindCapture:
		earned.Sales = 1
	case wallet.KindVisit:
		earned.Visits = 1
	case wallet.KindRefund:
		earned.Sales = -1
		if r.flags&recordVisit != 0 {
			earned.Sales, earned.Visits = 0, -1
		}
	default:
		return nil
	}
	e, err := r.entry(r.asked.about())
	if err != nil {
		return err
	}
	switch r.kind {
	case wallet.KindCapture:
		earned.Amount = r.held - e.Amount // what did not come back
	default:
		earned.Amount = -e.Amount
	}
	key := saleKey{day: r.time / dayMillis, rule: e.Rule, resource: e.Resource}
	sum := rows[key]
	sum.Sales += earned.Sales
	sum.Visits += earned.Visits
	sum.Amount += earned.Amount
	rows[key] = sum
	return nil
}
