package ledgertest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// invalid checks that changes to a good operation make it ErrInvalid and that
// it then changes nothing. A valid one among them is good.
func invalid[Op any](b *trial, m method[Op], good Op, breaks ...func(*Op)) {
	b.Helper()
	before := b.snapshot()
	for i, damage := range breaks {
		op := withID(good, b.id())
		damage(&op)
		if r, err := m(b.l, b.Context(), op); !errors.Is(err, wallet.ErrInvalid) || !same(r, wallet.Receipt{}) {
			b.Errorf("%T broken in way %d: %+v, %v, want ErrInvalid", op, i, r, err)
		}
	}
	b.unchanged(before, good, 0)
}

// valid checks that an operation at its limits is taken.
func valid[Op any](b *trial, m method[Op], op Op) {
	b.Helper()
	if r := do(b, m, op); r.Outcome != wallet.Applied {
		b.Errorf("%T at its limits: %v", op, r.Outcome)
	}
}

func long(n int) string { return strings.Repeat("x", n) }

var limits = []scenario{
	{"a charge beyond its limits is invalid, one at its limits good", func(b *trial) {
		w := b.wallet(wallet.MaxAmount)
		invalid(b, wallet.Ledger.Charge, view(w, article),
			func(c *wallet.Charge) { c.Rule = "" },
			func(c *wallet.Charge) { c.Rule = long(wallet.MaxRule + 1) },
			func(c *wallet.Charge) { c.Resource = "" },
			func(c *wallet.Charge) { c.Resource = long(wallet.MaxResource + 1) },
			func(c *wallet.Charge) { c.Price = -1 },
			func(c *wallet.Charge) { c.Price = wallet.MaxAmount + 1 },
			func(c *wallet.Charge) { c.Window = wallet.MinWindow - 1 },
			func(c *wallet.Charge) { c.Window = wallet.MaxWindow + 1 })
		c := view(w, long(wallet.MaxResource))
		c.Rule, c.Price, c.Window = long(wallet.MaxRule), wallet.MaxAmount, wallet.MaxWindow
		valid(b, wallet.Ledger.Charge, c)
	}},
	{"a bundle beyond its limits is invalid, one at its limits good", func(b *trial) {
		w := b.wallet(wallet.MaxAmount)
		invalid(b, wallet.Ledger.Buy, bundle(w, 1),
			func(p *wallet.Purchase) { p.Rule = "" },
			func(p *wallet.Purchase) { p.Rule = long(wallet.MaxRule + 1) },
			func(p *wallet.Purchase) { p.Price = 0 },
			func(p *wallet.Purchase) { p.Price = wallet.MaxAmount + 1 },
			func(p *wallet.Purchase) { p.Visits = 0 },
			func(p *wallet.Purchase) { p.Visits = wallet.MaxVisits + 1 },
			func(p *wallet.Purchase) { p.Validity = -1 },
			func(p *wallet.Purchase) { p.Validity = wallet.MaxValidity + 1 })
		p := bundle(w, wallet.MaxVisits)
		p.Rule, p.Price, p.Validity = long(wallet.MaxRule), wallet.MaxAmount, wallet.MaxValidity
		valid(b, wallet.Ledger.Buy, p)
	}},
	{"a settlement beyond its limits is invalid", func(b *trial) {
		invalid(b, wallet.Ledger.Settle, settle(b.wallet(hundred), true),
			func(s *wallet.Settlement) { s.Resource = "" },
			func(s *wallet.Settlement) { s.Resource = long(wallet.MaxResource + 1) })
	}},
	{"a transfer beyond its limits is invalid, one at its limits good", func(b *trial) {
		w := b.wallet(0)
		good := pay(card, wallet.WalletAccount(w), price)
		invalid(b, wallet.Ledger.Transfer, good,
			func(t *wallet.Transfer) { t.Amount = 0 },
			func(t *wallet.Transfer) { t.Amount = -price },
			func(t *wallet.Transfer) { t.Amount = wallet.MaxAmount + 1 },
			func(t *wallet.Transfer) { t.From = t.To },
			func(t *wallet.Transfer) { t.To = wallet.Site },
			func(t *wallet.Transfer) { t.From.Name = "funding:" + long(wallet.MaxAccount) },
			func(t *wallet.Transfer) { t.Note = long(wallet.MaxNote + 1) })
		good.From.Name = "funding:" + long(wallet.MaxAccount-len("funding:"))
		good.Note, good.Amount = long(wallet.MaxNote), wallet.MaxAmount
		valid(b, wallet.Ledger.Transfer, good)
	}},
	{"a hold beyond its limits is invalid, one at its limits good", func(b *trial) {
		w := b.wallet(wallet.MaxAmount)
		invalid(b, wallet.Ledger.Hold, set(w, price),
			func(h *wallet.Hold) { h.Amount = 0 },
			func(h *wallet.Hold) { h.Amount = wallet.MaxAmount + 1 },
			func(h *wallet.Hold) { h.TTL = wallet.MinWindow - 1 },
			func(h *wallet.Hold) { h.TTL = wallet.MaxHold + 1 })
		h := set(w, wallet.MaxAmount)
		h.TTL = wallet.MaxHold
		valid(b, wallet.Ledger.Hold, h)
	}},
	{"a capture beyond its limits is invalid, one at its limits good", func(b *trial) {
		w := b.wallet(hundred)
		hold := b.held(w, price)
		invalid(b, wallet.Ledger.Capture, capture(w, hold, price),
			func(c *wallet.Capture) { c.Amount = 0 },
			func(c *wallet.Capture) { c.Amount = wallet.MaxAmount + 1 },
			func(c *wallet.Capture) { c.Rule = "" },
			func(c *wallet.Capture) { c.Rule, c.Resource = "", "" },
			func(c *wallet.Capture) { c.Rule = long(wallet.MaxRule + 1) },
			func(c *wallet.Capture) { c.Resource = long(wallet.MaxResource + 1) },
			func(c *wallet.Capture) { c.Window = wallet.MinWindow - 1 },
			func(c *wallet.Capture) { c.Window = wallet.MaxWindow + 1 })
		c := capture(w, hold, price)
		c.Rule, c.Resource, c.Window = long(wallet.MaxRule), long(wallet.MaxResource), wallet.MaxWindow
		valid(b, wallet.Ledger.Capture, c)
	}},
	{"a note beyond its limit is invalid, one at its limit good", func(b *trial) {
		w := b.wallet(hundred)
		b.issue(1)
		invalid(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w},
			func(f *wallet.Freeze) { f.Note = long(wallet.MaxNote + 1) })
		invalid(b, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: 1},
			func(v *wallet.VoidVoucher) { v.Note = long(wallet.MaxNote + 1) })
		valid(b, wallet.Ledger.Freeze, wallet.Freeze{Wallet: w, Note: long(wallet.MaxNote)})
		valid(b, wallet.Ledger.VoidVoucher, wallet.VoidVoucher{Serial: 1, Note: long(wallet.MaxNote)})
	}},
	{"vouchers beyond their limits are invalid, at their limits good", func(b *trial) {
		twice := NewDigest(b)
		var many []wallet.Digest
		for range wallet.MaxVouchers + 1 {
			many = append(many, NewDigest(b))
		}
		good := wallet.IssueVouchers{Value: price, Digests: []wallet.Digest{NewDigest(b)}}
		invalid(b, wallet.Ledger.IssueVouchers, good,
			func(i *wallet.IssueVouchers) { i.Value = 0 },
			func(i *wallet.IssueVouchers) { i.Value = wallet.MaxAmount + 1 },
			func(i *wallet.IssueVouchers) { i.Note = long(wallet.MaxNote + 1) },
			func(i *wallet.IssueVouchers) { i.Digests = nil },
			func(i *wallet.IssueVouchers) { i.Digests = many },
			func(i *wallet.IssueVouchers) { i.Digests = []wallet.Digest{{}} },
			func(i *wallet.IssueVouchers) { i.Digests = []wallet.Digest{twice, twice} })
		good.Digests, good.Note, good.Value = many[1:], long(wallet.MaxNote), wallet.MaxAmount
		valid(b, wallet.Ledger.IssueVouchers, good)
		if listed := len(pages(b, wallet.MaxPage, b.vouchers)); listed != wallet.MaxVouchers {
			b.Errorf("%d vouchers are listed, want %d", listed, wallet.MaxVouchers)
		}
	}},
	{"a broken operation is invalid before its id is looked at", func(b *trial) {
		c := withID(view(b.wallet(hundred), article), b.id())
		do(b, wallet.Ledger.Charge, c)
		for _, id := range []wallet.OpID{c.ID, b.idAt(start.Add(-wallet.MoneyMemory))} {
			bad := withID(c, id)
			bad.Rule = ""
			if _, err := b.l.Charge(b.Context(), bad); !errors.Is(err, wallet.ErrInvalid) {
				b.Errorf("the charge answered %v, want ErrInvalid", err)
			}
		}
	}},
}

// questions are the methods that change nothing.
func (b *trial) questions(id wallet.WalletID) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"Standing": func(ctx context.Context) error {
			_, err := b.l.Standing(ctx, wallet.StandingQuery{Wallet: id, Rule: rule, Resource: article})
			return err
		},
		"Wallet":           func(ctx context.Context) error { _, err := b.l.Wallet(ctx, id); return err },
		"WalletByRecovery": func(ctx context.Context) error { _, err := b.l.WalletByRecovery(ctx, wallet.Digest{}); return err },
		"Wallets":          func(ctx context.Context) error { _, _, err := b.l.Wallets(ctx, "", 1); return err },
		"Entries":          func(ctx context.Context) error { _, _, err := b.l.Entries(ctx, id, "", 1); return err },
		"Voucher":          func(ctx context.Context) error { _, err := b.l.Voucher(ctx, wallet.Digest{}); return err },
		"Vouchers":         func(ctx context.Context) error { _, _, err := b.l.Vouchers(ctx, "", 1); return err },
		"Report":           func(ctx context.Context) error { _, err := b.l.Report(ctx, time.Time{}, farFuture); return err },
		"Verify":           func(ctx context.Context) error { _, err := b.l.Verify(ctx); return err },
	}
}

var endings = []scenario{
	{"a method whose context has ended is unavailable and says why (invariant 6)", func(b *trial) {
		w := b.wallet(hundred)
		deeds := b.deeds()
		cancelled, cancel := context.WithCancel(b.Context())
		cancel()
		late, stop := context.WithDeadline(b.Context(), time.Unix(1, 0))
		defer stop()
		for _, ctx := range []context.Context{cancelled, late} {
			for _, d := range deeds {
				if _, err := d.do(ctx, b.l, b.id()); !errors.Is(err, wallet.ErrUnavailable) || !errors.Is(err, ctx.Err()) {
					b.Errorf("%s: %v, want ErrUnavailable and %v", d.kind, err, ctx.Err())
				}
			}
			for name, ask := range b.questions(w) {
				if err := ask(ctx); !errors.Is(err, wallet.ErrUnavailable) || !errors.Is(err, ctx.Err()) {
					b.Errorf("%s: %v, want ErrUnavailable and %v", name, err, ctx.Err())
				}
			}
		}
	}},
	{"an id whose context ended can be retried and takes effect once (invariants 3, 6)", func(b *trial) {
		w := b.wallet(hundred)
		c := withID(view(w, article), b.id())
		cancelled, cancel := context.WithCancel(b.Context())
		cancel()
		if _, err := b.l.Charge(cancelled, c); err == nil {
			b.Fatal("the charge was answered although its context had ended")
		}
		if r := do(b, wallet.Ledger.Charge, c); !r.Outcome.Done() || r.Balance != hundred-price {
			b.Fatalf("invariant 6: the retry answered %+v", r)
		}
		b.has(w, hundred-price, 0)
	}},
	{"a broken operation is invalid whatever else is wrong (invariant 6)", func(b *trial) {
		cancelled, cancel := context.WithCancel(b.Context())
		cancel()
		broken := view(b.wallet(hundred), "")
		if _, err := b.l.Charge(cancelled, broken); !errors.Is(err, wallet.ErrInvalid) {
			b.Errorf("under an ended context: %v, want ErrInvalid", err)
		}
		b.closed = true
		if err := b.l.Close(); err != nil {
			b.Fatalf("Close: %v", err)
		}
		if _, err := b.l.Charge(b.Context(), broken); !errors.Is(err, wallet.ErrInvalid) {
			b.Errorf("on a closed ledger: %v, want ErrInvalid", err)
		}
	}},
	{"a closed ledger is unavailable, and closing it again does nothing (invariant 6)", func(b *trial) {
		w := b.wallet(hundred)
		deeds := b.deeds()
		b.closed = true
		for range 2 {
			if err := b.l.Close(); err != nil {
				b.Fatalf("Close: %v", err)
			}
		}
		for _, d := range deeds {
			if r, err := d.do(b.Context(), b.l, b.id()); !errors.Is(err, wallet.ErrUnavailable) || !same(r, wallet.Receipt{}) {
				b.Errorf("%s: %+v, %v, want ErrUnavailable", d.kind, r, err)
			}
		}
		for name, ask := range b.questions(w) {
			if err := ask(b.Context()); !errors.Is(err, wallet.ErrUnavailable) {
				b.Errorf("%s: %v, want ErrUnavailable", name, err)
			}
		}
	}},
}
