package local

import (
	"context"
	"fmt"
	"time"

	"github.com/caddy-paywall/caddy-paywall/wallet"
	"github.com/caddy-paywall/caddy-paywall/wallet/history"
)

// History implements [history.Source]. It reads the whole journal, and keeps the
// id and the generation of each wallet and the digest of each voucher meanwhile.
func (l *Ledger) History(ctx context.Context, yield func(history.Deed) error) error {
	r, end, done, err := l.audience(ctx, nil)
	if err != nil {
		return err
	}
	defer done()
	t := teller{rules: newRules()}
	return r.walk(ctx, 0, 0, end, func(r *record, at uint64) error {
		if r.has(flagExpired) {
			t.ended = max(t.ended, r.time)
			return nil
		}
		op, err := t.tell(r)
		if err != nil {
			return corrupt("the %s record at %d does not follow from those before it: %v", r.kind, at, err)
		}
		if r.time < t.ended { // the clock was put back
			if err := yield(history.Deed{Time: timeOf(t.ended), Op: history.Moment{}}); err != nil {
				return err
			}
		}
		t.ended = 0
		receipt := r.receipt(wallet.Applied)
		return yield(history.Deed{Time: time.UnixMilli(r.time).UTC(), Op: op, Amount: receipt.Amount, Balance: receipt.Balance})
	})
}

var _ history.Source = (*Ledger)(nil)

// teller makes operations of records again: it keeps what a record does not say.
type teller struct {
	rules
	wallets []tellerWallet  // in order of creation
	codes   []wallet.Digest // of the vouchers, by serial number from 1
	ended   int64           // the latest end of a hold since the last deed; zero: none
}

type tellerWallet struct {
	id         wallet.WalletID
	generation uint32
}

// tell is the operation that a record is of, with what it came to where that is
// all that the record has.
func (t *teller) tell(r *record) (any, error) {
	if err := t.complete(r); err != nil {
		return nil, err
	}
	switch r.kind {
	case wallet.KindCreate:
		t.wallets = append(t.wallets, tellerWallet{r.wallet, r.generation})
		return wallet.CreateWallet{ID: r.id, Wallet: r.wallet, Recovery: r.recovery}, nil
	case wallet.KindIssue:
		t.codes = append(t.codes, r.digests...)
		return wallet.IssueVouchers{ID: r.id, Value: r.amount, Expires: timeOf(r.until), Note: r.note, Digests: r.digests}, nil
	case wallet.KindPut:
		return wallet.Put{ID: r.id, Register: r.register, Before: r.ends, Value: r.value}, nil
	case wallet.KindVoid:
		return wallet.VoidVoucher{ID: r.id, Serial: r.serial, Note: r.note}, nil
	}
	if int64(r.walletAt) >= int64(len(t.wallets)) {
		return nil, fmt.Errorf("its wallet does not exist")
	}
	w := &t.wallets[r.walletAt]
	switch r.kind {
	case wallet.KindCharge, wallet.KindVisit:
		return wallet.Charge{
			ID: r.id, Wallet: w.id, Generation: w.generation, Rule: r.rule, Resource: r.resource,
			Price: r.amount, Window: r.lasts(), Ahead: r.has(flagAhead),
		}, nil
	case wallet.KindBuy:
		return wallet.Purchase{
			ID: r.id, Wallet: w.id, Generation: w.generation, Rule: r.rule,
			Price: r.amount, Visits: int(r.bought), Validity: r.lasts(),
		}, nil
	case wallet.KindRefund, wallet.KindDeliver:
		return w.settlement(r), nil
	case wallet.KindTransfer:
		return w.transfer(r), nil
	case wallet.KindHold:
		return wallet.Hold{ID: r.id, Wallet: w.id, Generation: w.generation, Amount: r.amount, TTL: r.lasts()}, nil
	case wallet.KindCapture:
		return wallet.Capture{
			ID: r.id, Wallet: w.id, Hold: r.ends, Amount: r.amount, Rule: r.rule, Resource: r.resource, Window: r.lasts(),
		}, nil
	case wallet.KindRelease:
		return wallet.Release{ID: r.id, Wallet: w.id, Hold: r.ends}, nil
	case wallet.KindRekey:
		revoked := r.generation != w.generation
		w.generation = r.generation
		return wallet.Rekey{ID: r.id, Wallet: w.id, Recovery: r.recovery, Revoke: revoked}, nil
	case wallet.KindFreeze:
		return wallet.Freeze{ID: r.id, Wallet: w.id, Frozen: r.has(flagFrozen), Note: r.note}, nil
	case wallet.KindRedeem:
		if r.serial == 0 || r.serial > uint64(len(t.codes)) {
			return nil, fmt.Errorf("its voucher does not exist")
		}
		return wallet.Redeem{ID: r.id, Wallet: w.id, Code: t.codes[r.serial-1]}, nil
	}
	return nil, fmt.Errorf("no operation makes it")
}

// lasts is how long it is from the record to its end; zero where it has none.
func (r *record) lasts() time.Duration {
	if r.until == 0 {
		return 0
	}
	return time.Duration(r.until-r.time) * time.Millisecond
}

// settlement is the settlement as it was asked. The record has the charge in any
// case; but one that was settled as the charge made Ahead may be so old that its
// id is forgotten, and one that was settled by its id may not be the one that has
// paid for the resource.
func (w *tellerWallet) settlement(r *record) wallet.Settlement {
	s := wallet.Settlement{ID: r.id, Wallet: w.id, Resource: r.resource, Delivered: r.kind == wallet.KindDeliver}
	if settlementContent(&s) != r.content {
		s.Charge = r.ends
	}
	return s
}

func (w *tellerWallet) transfer(r *record) wallet.Transfer {
	t := wallet.Transfer{ID: r.id, From: wallet.WalletAccount(w.id), Generation: w.generation, Amount: r.amount, Note: r.note}
	named := wallet.Account{Name: r.account}
	switch {
	case r.has(flagBetween):
		t.To = wallet.WalletAccount(r.other)
	case r.has(flagIncoming):
		t.From, t.To, t.Generation = named, t.From, 0
	default:
		t.To = named
	}
	return t
}
