package ledgertest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// look compares all that can be seen of both ledgers.
func (p *pair) look() {
	got, err := takeSnapshot(p.ctx, p.real)
	want, wantErr := takeSnapshot(p.ctx, p.model)
	p.equal("a look at everything", got, err, want, wantErr)
	p.compareAudits()
	for _, id := range p.wallets {
		got, err := p.real.Wallet(p.ctx, id)
		want, wantErr := p.model.Wallet(p.ctx, id)
		p.equal(fmt.Sprintf("Wallet %s", id), got, err, want, wantErr)
		for _, rule := range []string{"news", "films"} {
			for _, resource := range []string{"/a", "/b", "/c"} {
				p.standing(wallet.StandingQuery{Wallet: id, Rule: rule, Resource: resource})
			}
		}
	}
	for _, name := range []string{"card:a", "card", "kiosk:\xff", "none", ""} {
		got, err := p.real.Register(p.ctx, name)
		want, wantErr := p.model.Register(p.ctx, name)
		p.equal(fmt.Sprintf("Register %q", name), got, err, want, wantErr)
	}
	for _, digest := range p.digests {
		owner, err := p.real.WalletByRecovery(p.ctx, digest)
		wantOwner, wantErr := p.model.WalletByRecovery(p.ctx, digest)
		p.equal("WalletByRecovery", owner, err, wantOwner, wantErr)
		voucher, err := p.real.Voucher(p.ctx, digest)
		wantVoucher, wantErr := p.model.Voucher(p.ctx, digest)
		p.equal("Voucher", voucher, err, wantVoucher, wantErr)
	}
}

// compareAudits compares all but the number of records, which is the engine's
// own affair.
func (p *pair) compareAudits() {
	got, err := p.real.Verify(p.ctx)
	want, wantErr := p.model.Verify(p.ctx)
	got.Entries, want.Entries = 0, 0
	p.equal("Verify", got, err, want, wantErr)
}

func (p *pair) standing(q wallet.StandingQuery) {
	got, err := p.real.Standing(p.ctx, q)
	want, wantErr := p.model.Standing(p.ctx, q)
	p.equal(fmt.Sprintf("Standing %+v at %v", q, cut(p.clock.Now())), got, err, want, wantErr)
}

func (p *pair) compareStanding() {
	id := p.wallet()
	p.standing(wallet.StandingQuery{
		Wallet: id, Generation: p.generation(id), Rule: p.rule(), Resource: p.resource(),
	})
}

// comparePages reads the listings page by page from both, once with a cursor
// that neither gave out, and a report over part of the time.
func (p *pair) comparePages() {
	limit := rapid.IntRange(0, 4).Draw(p.rt, "limit")
	id, cursor := p.wallet(), rapid.OneOf(rapid.Just(""), rapid.String()).Draw(p.rt, "cursor")
	inStep(p, "Wallets", cursor, func(l wallet.Ledger, cursor string) ([]wallet.Wallet, string, error) {
		return l.Wallets(p.ctx, cursor, limit)
	})
	inStep(p, "Vouchers", cursor, func(l wallet.Ledger, cursor string) ([]wallet.Voucher, string, error) {
		return l.Vouchers(p.ctx, cursor, limit)
	})
	prefix := pick(p.draws, "prefix", "", "card", "card:", "kiosk:\xff", "\xff", "none")
	inStep(p, "Registers", cursor, func(l wallet.Ledger, cursor string) ([]wallet.Register, string, error) {
		return l.Registers(p.ctx, prefix, cursor, limit)
	})
	inStep(p, "Entries", cursor, func(l wallet.Ledger, cursor string) ([]wallet.Entry, string, error) {
		return l.Entries(p.ctx, id, cursor, limit)
	})
	ends := append([]time.Time{start, p.clock.Now()}, p.edges...)
	from, to := pick(p.draws, "from", ends...), pick(p.draws, "to", ends...)
	got, err := p.real.Report(p.ctx, from, to)
	want, wantErr := p.model.Report(p.ctx, from, to)
	p.equal(fmt.Sprintf("Report from %v to %v", from, to), got, err, want, wantErr)
}

// inStep reads a listing of both to its end: pages of the same items, and ends
// at the same page.
func inStep[T any](p *pair, what, cursor string, page func(l wallet.Ledger, cursor string) ([]T, string, error)) {
	atReal, atModel := cursor, cursor
	for range maxPages {
		got, next, err := page(p.real, atReal)
		want, wantNext, wantErr := page(p.model, atModel)
		p.equal(fmt.Sprintf("%s at %.20q", what, atReal), got, err, want, wantErr)
		if (next == "") != (wantNext == "") {
			p.rt.Fatalf("%s after %+v: the engine's next page is %q, the model's %q", what, got, next, wantNext)
		}
		if next == "" {
			return
		}
		atReal, atModel = next, wantNext
	}
	p.rt.Fatalf("%s has not ended after %d pages", what, maxPages)
}
