package ledgertest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// Report implements [wallet.Auditor].
func (m *model) Report(ctx context.Context, from, to time.Time) ([]wallet.Revenue, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.begin(ctx); err != nil {
		return nil, err
	}
	from, to = cut(from), cut(to)
	rows := make(map[wallet.Revenue]wallet.Revenue) // by day, rule and resource
	for _, r := range m.journal {
		if len(r.lines) == 0 {
			continue
		}
		e := r.lines[0].entry
		sales, visits, earns := sold(e)
		if !earns || e.Time.Before(from) || !e.Time.Before(to) {
			continue
		}
		key := wallet.Revenue{Day: e.Time.UTC().Format(time.DateOnly), Rule: e.Rule, Resource: e.Resource}
		row := rows[key]
		row.Day, row.Rule, row.Resource = key.Day, key.Rule, key.Resource
		row.Sales += sales
		row.Visits += visits
		row.Amount += r.earned()
		rows[key] = row
	}
	var report []wallet.Revenue
	for _, row := range rows {
		report = append(report, row)
	}
	slices.SortFunc(report, func(a, b wallet.Revenue) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Resource, b.Resource))
	})
	return report, nil
}

// sold counts the sales and visits of an entry, and reports whether it earns
// at all.
func sold(e wallet.Entry) (sales, visits int, earns bool) {
	switch e.Kind {
	case wallet.KindCharge, wallet.KindBuy, wallet.KindCapture:
		return 1, 0, true
	case wallet.KindVisit:
		return 0, 1, true
	case wallet.KindRefund:
		if e.Amount == 0 {
			return 0, -1, true
		}
		return -1, 0, true
	}
	return 0, 0, false
}

// earned is what a record brought the site.
func (r record) earned() wallet.Amount {
	var sum wallet.Amount
	for _, mv := range r.moves {
		if mv.to == siteBook {
			sum += mv.amount
		}
		if mv.from == siteBook {
			sum -= mv.amount
		}
	}
	return sum
}

// Verify implements [wallet.Auditor]. It recomputes every balance twice: from
// the moves of all records, and a wallet's also from its entries.
func (m *model) Verify(ctx context.Context) (wallet.Audit, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.begin(ctx); err != nil {
		return wallet.Audit{}, err
	}
	audit := wallet.Audit{Entries: uint64(len(m.journal)), Wallets: len(m.created)}
	moved := make(map[book]wallet.Amount)
	entered := make(map[wallet.WalletID]wallet.Amount)
	for _, r := range m.journal {
		for _, mv := range r.moves {
			moved[mv.from] -= mv.amount
			moved[mv.to] += mv.amount
		}
		for _, l := range r.lines {
			entered[l.wallet] += l.entry.Amount
		}
	}
	for b, live := range m.balance {
		audit.Sum += live
		switch {
		case b.held:
			audit.Held += live
		case b.account.IsWallet():
			audit.Available += live
		case b.account.IsFunding():
			audit.Funding += live
		case b.account == wallet.Site:
			audit.Site = live
		}
		audit.Differences = append(audit.Differences, differs(b.String(), moved[b], live)...)
		if b.account.IsWallet() && !b.held {
			audit.Differences = append(audit.Differences, differs(b.String()+" by its entries", entered[b.account.Wallet], live)...)
		}
	}
	return audit, nil
}

func differs(account string, journal, live wallet.Amount) []wallet.Difference {
	if journal == live {
		return nil
	}
	return []wallet.Difference{{Account: account, Journal: journal, Ledger: live}}
}
