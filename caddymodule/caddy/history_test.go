package main_test

import (
	"net/http"
	"strings"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// history is a wallet as the ledger has it.
type history struct {
	Balance struct{ Amount string }
	Passes  []struct {
		Rule   string
		Visits int
	}
	Entries []entry
	Next    string
}

// entry is one line of the journal.
type entry struct {
	ID, Kind, Amount, Balance, Path string
	Visits                          int
}

// history asks the operator's command for everything that happened to the
// wallet, newest first.
func (p *spender) history() (whole history) {
	p.Helper()
	for cursor := ""; ; cursor = whole.Next {
		var page history
		p.operator(&page, "wallet", "show", p.wallet, "--limit", "1000", "--cursor", cursor)
		page.Entries = append(whole.Entries, page.Entries...)
		if whole = page; whole.Next == "" {
			return whole
		}
	}
}

// compare holds what the spender was told against what the ledger has. It must
// have nothing in doubt.
func (p *spender) compare(h history) {
	p.Helper()
	p.compareBalances(h)
	counts := make(map[string]int)
	views, visits := make(map[string][]entry), make(map[string][]entry)
	for _, e := range h.Entries {
		counts[e.Kind]++
		switch e.Kind {
		case "charge":
			views[e.Path] = append(views[e.Path], e)
		case "visit":
			visits[e.Path] = append(visits[e.Path], e)
		}
	}
	p.comparePages(views, p.views)
	p.comparePages(visits, p.visits)
	if counts["voucher"] != len(p.redeemed) {
		p.Errorf("invariants 3, 5: wallet %s was told of %d vouchers, the ledger has %d", p.wallet, len(p.redeemed), counts["voucher"])
	}
	if counts["bundle"] != len(p.bundles) {
		p.Errorf("invariants 3, 5: wallet %s was told of %d bundles, the ledger has %d", p.wallet, len(p.bundles), counts["bundle"])
	}
	left := 0
	for _, pass := range h.Passes {
		left += pass.Visits
	}
	if want := 10*len(p.bundles) - len(p.visits); left != want {
		p.Errorf("invariants 3, 5: wallet %s has %d visits left, want %d", p.wallet, left, want)
	}
}

// compareBalances adds the entries up: each balance follows from the one before
// (invariant 7), none is below zero (invariant 2), and the last is the wallet's.
func (p *spender) compareBalances(h history) {
	p.Helper()
	balance := wallet.Amount(0)
	for i := len(h.Entries) - 1; i >= 0; i-- {
		e := h.Entries[i]
		balance += p.amount(e.Amount)
		if balance != p.amount(e.Balance) || balance < 0 {
			p.Errorf("invariants 2, 7: wallet %s: after %+v it should have %s", p.wallet, e, balance)
			return
		}
	}
	if balance != p.amount(h.Balance.Amount) {
		p.Errorf("invariant 7: wallet %s has %s, its entries add up to %s", p.wallet, h.Balance.Amount, balance)
	}
}

// amount reads a decimal that may be zero or negative.
func (p *spender) amount(text string) wallet.Amount {
	p.Helper()
	digits, negative := strings.CutPrefix(text, "-")
	if strings.Trim(digits, "0.") == "" {
		return 0
	}
	amount, err := wallet.ParseAmount(digits)
	if err != nil {
		p.Fatal(err)
	}
	if negative {
		return -amount
	}
	return amount
}

// comparePages wants exactly one entry for each page that the spender can read,
// and the one that it was told of.
func (p *spender) comparePages(entries map[string][]entry, told map[string]purchase) {
	p.Helper()
	for path, known := range told {
		switch paid := entries[path]; {
		case len(paid) == 0:
			p.Errorf("invariants 4, 5: wallet %s could read %s (%+v), and the ledger knows no charge", p.wallet, path, known)
		case len(paid) > 1 || known.charges > 1:
			p.Errorf("invariant 3: wallet %s paid for %s more than once: %+v, %+v", p.wallet, path, paid, known)
		case known.balance != "" && known.balance != paid[0].Balance:
			p.Errorf("invariant 5: wallet %s was told of a balance of %s after %s, the ledger has %s",
				p.wallet, known.balance, path, paid[0].Balance)
		}
	}
	for path, paid := range entries {
		if _, known := told[path]; !known {
			p.Errorf("invariant 4: wallet %s paid for %s (%+v) and was never let in", p.wallet, path, paid)
		}
	}
}

// readAgain reads every page that was paid for: it is there and costs nothing
// (invariants 4 and 5).
func (p *spender) readAgain() {
	p.Helper()
	for _, path := range p.bought() {
		status, header, body, err := p.send(http.MethodGet, path, nil)
		charged := header.Get("Paywall-Charged") + header.Get("Paywall-Visits")
		if err != nil || status != http.StatusOK || charged != "" || string(body) != "PAGE "+path {
			p.Errorf("invariants 4, 5: wallet %s reads %s again: %d %v, charged %q\n%.300s", p.wallet, path, status, err, charged, body)
		}
	}
}
