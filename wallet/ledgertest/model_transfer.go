package ledgertest

import (
	"context"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
)

// Transfer implements [wallet.Mover].
func (m *model) Transfer(ctx context.Context, t wallet.Transfer) (wallet.Receipt, error) {
	return m.do(ctx, operation{t.ID, t.Check(), wallet.MoneyMemory, t, func(now time.Time) wallet.Receipt {
		mv := move{book{account: t.From}, book{account: t.To}, t.Amount}
		o := m.mayTransfer(t)
		if o == wallet.Applied {
			o = m.room(mv)
		}
		if o != wallet.Applied {
			return m.answer(o, history.About(t), "", now)
		}
		m.writeTransfer(t, mv, now)
		r := m.answer(wallet.Applied, history.About(t), "", now)
		r.Amount = t.Amount
		return r
	}})
}

func (m *model) mayTransfer(t wallet.Transfer) wallet.Outcome {
	if t.To.IsWallet() && m.wallets[t.To.Wallet] == nil {
		return wallet.NotFound
	}
	if t.From.IsWallet() {
		return m.credential(t.From.Wallet, t.Generation)
	}
	return wallet.Applied
}

// writeTransfer writes an entry for each side that is a wallet.
func (m *model) writeTransfer(t wallet.Transfer, mv move, now time.Time) {
	var lines []line
	for _, side := range [][2]wallet.Account{{t.From, t.To}, {t.To, t.From}} {
		if own, other := side[0], side[1]; own.IsWallet() {
			lines = append(lines, line{own.Wallet, wallet.Entry{
				ID: t.ID, Time: now, Kind: wallet.KindTransfer, Other: other, Note: t.Note,
			}})
		}
	}
	m.write([]move{mv}, lines...)
}
