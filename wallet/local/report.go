package local

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// dayMillis is a UTC day in milliseconds.
const dayMillis = int64(24 * time.Hour / time.Millisecond)

// saleKey is a row of the report.
type saleKey struct {
	day            int64 // days since 1970
	rule, resource string
}

// Report implements [wallet.Auditor]. It reads the whole journal.
func (l *Ledger) Report(ctx context.Context, from, to time.Time) ([]wallet.Revenue, error) {
	r, end, done, err := l.audience(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer done()
	rows, rules := make(map[saleKey]wallet.Revenue), newRules()
	first, last := millis(from), millis(to)
	err = r.walk(ctx, 0, 0, end, func(r *record, at uint64) error {
		if err := rules.complete(r); err != nil {
			return corrupt("the journal does not read at %d: %v", at, err)
		}
		row, earns := r.revenue()
		if earns && r.time >= first && r.time < last {
			key := saleKey{day: r.time / dayMillis, rule: r.rule, resource: r.resource}
			sum := rows[key]
			sum.Sales += row.Sales
			sum.Visits += row.Visits
			sum.Amount += row.Amount
			rows[key] = sum
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return revenueRows(rows), nil
}

func revenueRows(rows map[saleKey]wallet.Revenue) []wallet.Revenue {
	var report []wallet.Revenue
	for key, row := range rows {
		row.Day = time.UnixMilli(key.day * dayMillis).UTC().Format(time.DateOnly)
		row.Rule, row.Resource = key.rule, key.resource
		report = append(report, row)
	}
	slices.SortFunc(report, func(a, b wallet.Revenue) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Resource, b.Resource))
	})
	return report
}

// revenue is what the record adds to its row, and whether it belongs to one.
func (r *record) revenue() (wallet.Revenue, bool) {
	switch r.kind {
	case wallet.KindCharge, wallet.KindBuy, wallet.KindCapture:
		return wallet.Revenue{Sales: 1, Amount: r.amount}, true
	case wallet.KindVisit:
		return wallet.Revenue{Visits: 1}, true
	case wallet.KindRefund:
		if r.has(flagVisit) {
			return wallet.Revenue{Visits: -1}, true
		}
		return wallet.Revenue{Sales: -1, Amount: -r.amount}, true
	}
	return wallet.Revenue{}, false
}
