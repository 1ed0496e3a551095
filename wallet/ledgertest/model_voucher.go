package ledgertest

import (
	"context"
	"slices"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
)

// voucher is a voucher as the ledger keeps it; whether it has expired is for
// the clock to say.
type voucher struct {
	wallet.Voucher
}

// state is what a voucher is good for at now.
func (v *voucher) state(now time.Time) wallet.VoucherState {
	if v.State == wallet.VoucherIssued && over(v.Expires, now) {
		return wallet.VoucherExpired
	}
	return v.State
}

// refusal is the outcome for a voucher that is no longer good.
func (v *voucher) refusal(now time.Time) wallet.Outcome {
	switch v.state(now) {
	case wallet.VoucherRedeemed:
		return wallet.Spent
	case wallet.VoucherVoid, wallet.VoucherExpired:
		return wallet.Void
	}
	return wallet.Applied
}

// IssueVouchers implements [wallet.VoucherKeeper].
func (m *model) IssueVouchers(ctx context.Context, i wallet.IssueVouchers) (wallet.Receipt, error) {
	invalid := i.Check()
	i.Expires, i.Digests = cut(i.Expires), slices.Clone(i.Digests)
	return m.do(ctx, operation{i.ID, invalid, wallet.MoneyMemory, i, func(now time.Time) wallet.Receipt {
		if slices.ContainsFunc(i.Digests, func(d wallet.Digest) bool { return m.codes[d] != nil }) {
			return wallet.Receipt{Outcome: wallet.Conflict}
		}
		first := uint64(len(m.vouchers)) + 1
		for _, d := range i.Digests {
			v := &voucher{wallet.Voucher{
				Serial: uint64(len(m.vouchers)) + 1, Value: i.Value, State: wallet.VoucherIssued,
				Issued: now, Expires: i.Expires, Note: i.Note,
			}}
			m.codes[d] = v
			m.vouchers = append(m.vouchers, v)
		}
		m.write(nil)
		return wallet.Receipt{Outcome: wallet.Applied, Serial: first}
	}})
}

// Redeem implements [wallet.VoucherKeeper].
func (m *model) Redeem(ctx context.Context, r wallet.Redeem) (wallet.Receipt, error) {
	return m.do(ctx, operation{r.ID, nil, wallet.MoneyMemory, r, func(now time.Time) wallet.Receipt {
		v := m.codes[r.Code]
		if m.wallets[r.Wallet] == nil || v == nil {
			return wallet.Receipt{Outcome: wallet.NotFound}
		}
		mv := move{book{account: wallet.FundingVoucher}, open(r.Wallet), v.Value}
		o := v.refusal(now)
		if o == wallet.Applied {
			o = m.room(mv)
		}
		if o != wallet.Applied {
			return m.answer(o, r.Wallet, "", now)
		}
		v.State, v.Redeemed, v.Wallet = wallet.VoucherRedeemed, now, r.Wallet
		m.write([]move{mv}, line{r.Wallet, wallet.Entry{ID: r.ID, Time: now, Kind: wallet.KindRedeem}})
		receipt := m.answer(wallet.Applied, r.Wallet, "", now)
		receipt.Amount = v.Value
		return receipt
	}})
}

// VoidVoucher implements [wallet.VoucherKeeper].
func (m *model) VoidVoucher(ctx context.Context, o wallet.VoidVoucher) (wallet.Receipt, error) {
	return m.do(ctx, operation{o.ID, o.Check(), wallet.MoneyMemory, o, func(now time.Time) wallet.Receipt {
		if o.Serial < 1 || o.Serial > uint64(len(m.vouchers)) {
			return wallet.Receipt{Outcome: wallet.NotFound}
		}
		v := m.vouchers[o.Serial-1]
		if refusal := v.refusal(now); refusal != wallet.Applied {
			return wallet.Receipt{Outcome: refusal}
		}
		v.State = wallet.VoucherVoid
		if o.Note != "" {
			v.Note = o.Note
		}
		m.write(nil)
		return wallet.Receipt{Outcome: wallet.Applied}
	}})
}

// Voucher implements [wallet.VoucherKeeper].
func (m *model) Voucher(ctx context.Context, code wallet.Digest) (wallet.Voucher, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, err := m.begin(ctx)
	if err != nil {
		return wallet.Voucher{}, err
	}
	v := m.codes[code]
	if v == nil {
		return wallet.Voucher{}, wallet.ErrNotFound
	}
	return v.describe(now), nil
}

func (v *voucher) describe(now time.Time) wallet.Voucher {
	shown := v.Voucher
	shown.State = v.state(now)
	return shown
}
