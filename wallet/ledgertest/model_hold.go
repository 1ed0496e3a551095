package ledgertest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// hold is money set aside.
type hold struct {
	id       wallet.OpID
	wallet   wallet.WalletID
	amount   wallet.Amount
	end      time.Time
	resolved bool
}

// compareHolds orders holds as they expire: by end, then by id.
func compareHolds(a, b *hold) int {
	return cmp.Or(a.end.Compare(b.end), slices.Compare(a.id[:], b.id[:]))
}

// expireHolds gives back every hold whose end has come, as of that end.
func (m *model) expireHolds(now time.Time) {
	var due []*hold
	for _, h := range m.holds {
		if !h.resolved && over(h.end, now) {
			due = append(due, h)
		}
	}
	slices.SortFunc(due, compareHolds)
	for _, h := range due {
		m.release(h, h.id, h.end)
	}
}

func (m *model) release(h *hold, id wallet.OpID, at time.Time) {
	h.resolved = true
	m.write([]move{{heldOf(h.wallet), open(h.wallet), h.amount}},
		line{h.wallet, wallet.Entry{ID: id, Time: at, Kind: wallet.KindRelease}})
}

// Hold implements [wallet.Mover].
func (m *model) Hold(ctx context.Context, h wallet.Hold) (wallet.Receipt, error) {
	invalid := h.Check()
	h.TTL = h.TTL.Truncate(time.Millisecond)
	return m.do(ctx, operation{h.ID, invalid, wallet.ChargeMemory, h, func(now time.Time) wallet.Receipt {
		mv := move{open(h.Wallet), heldOf(h.Wallet), h.Amount}
		o := m.credential(h.Wallet, h.Generation)
		if o == wallet.Applied {
			o = m.room(mv)
		}
		if o != wallet.Applied {
			return m.answer(o, h.Wallet, "", now)
		}
		end := now.Add(h.TTL)
		m.holds[m.key(h.Wallet, h.ID)] = &hold{id: h.ID, wallet: h.Wallet, amount: h.Amount, end: end}
		m.write([]move{mv}, line{h.Wallet, wallet.Entry{ID: h.ID, Time: now, Kind: wallet.KindHold}})
		r := m.answer(wallet.Applied, h.Wallet, "", now)
		r.Amount, r.Until = h.Amount, end
		return r
	}})
}

// unresolved returns a wallet's hold that can be captured or released, or why
// there is none.
func (m *model) unresolved(id wallet.WalletID, of wallet.OpID, now time.Time) (*hold, wallet.Outcome) {
	h := m.holds[m.key(id, of)]
	switch {
	case h == nil || h.wallet != id || now.Sub(h.end) > wallet.ChargeMemory:
		return nil, wallet.NotFound
	case h.resolved:
		return nil, wallet.Spent
	}
	return h, wallet.Applied
}

// Capture implements [wallet.Mover].
func (m *model) Capture(ctx context.Context, c wallet.Capture) (wallet.Receipt, error) {
	invalid := c.Check()
	c.Window = c.Window.Truncate(time.Millisecond)
	return m.do(ctx, operation{c.ID, invalid, wallet.ChargeMemory, c, func(now time.Time) wallet.Receipt {
		h, o := m.unresolved(c.Wallet, c.Hold, now)
		take := move{heldOf(c.Wallet), siteBook, c.Amount}
		switch {
		case o != wallet.Applied:
		case c.Amount > h.amount:
			o = wallet.Insufficient
		default:
			o = m.room(take)
		}
		if o != wallet.Applied {
			return m.answer(o, c.Wallet, "", now)
		}
		h.resolved = true
		m.write([]move{take, {heldOf(c.Wallet), open(c.Wallet), h.amount - c.Amount}}, line{c.Wallet, wallet.Entry{
			ID: c.ID, Time: now, Kind: wallet.KindCapture, Rule: c.Rule, Resource: c.Resource,
		}})
		r := m.answer(wallet.Applied, c.Wallet, "", now)
		r.Amount = c.Amount
		if c.Resource != "" {
			r.Until = m.grantCaptured(c, now)
		}
		return r
	}})
}

// grantCaptured writes the grant of a capture and returns its end.
func (m *model) grantCaptured(c wallet.Capture, now time.Time) time.Time {
	g := grant{until: now.Add(c.Window)}
	if there, known := m.grant(c.Wallet, c.Resource, now); known && !there.closed {
		end := later(g.until, there.until)
		g = there
		g.until = end
	}
	g.captured = true
	m.grants[grantKey{c.Wallet, c.Resource}] = g
	return g.until
}

// Release implements [wallet.Mover].
func (m *model) Release(ctx context.Context, r wallet.Release) (wallet.Receipt, error) {
	return m.do(ctx, operation{r.ID, nil, wallet.ChargeMemory, r, func(now time.Time) wallet.Receipt {
		h, o := m.unresolved(r.Wallet, r.Hold, now)
		if o != wallet.Applied {
			return m.answer(o, r.Wallet, "", now)
		}
		m.release(h, r.ID, now)
		receipt := m.answer(wallet.Applied, r.Wallet, "", now)
		receipt.Amount = h.amount
		return receipt
	}})
}
